# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Write test/rosdep_keys.txt: the names that package.xml may depend on, out of a clone of rosdistro.

A name is one of two kinds: a rosdep key that apt resolves on each Ubuntu below, or a package that
is released into each ROS distribution below.  Keys for pip, and keys that one of these Ubuntus
lacks, are left out: bloom cannot release a package that depends on them.

    python3 tools/rosdep_keys.py path/to/rosdistro > test/rosdep_keys.txt
"""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys
from typing import Any

import yaml

UBUNTUS = ('jammy', 'noble', 'resolute')
DISTRIBUTIONS = ('humble', 'jazzy', 'kilted', 'lyrical', 'rolling')

# A rule without any of these names is a list of system packages, or a table of releases.
INSTALLERS = {'apt', 'gem', 'npm', 'pip', 'snap', 'source'}


def git(clone: Path, *arguments: str) -> str:
    """Return the output of git in a clone, which may have no work tree."""
    command = ('git', '-C', str(clone), *arguments)
    done = subprocess.run(  # noqa: S603 - our own words; no shell
        command, check=True, capture_output=True, text=True
    )
    return done.stdout


def of_apt(rules: dict[str, Any], release: str) -> bool:
    """Return whether the rules of a key make apt install something on a release of Ubuntu."""
    rule = rules.get('ubuntu', rules.get('*'))
    if isinstance(rule, dict) and not INSTALLERS & rule.keys():
        rule = rule.get(release, rule.get('*'))
    return bool(rule) and (not isinstance(rule, dict) or 'apt' in rule)


def keys_of_apt(clone: Path) -> set[str]:
    """Return the keys that apt resolves on each Ubuntu."""
    keys: dict[str, Any] = {}
    for name in ('base', 'python'):
        keys |= yaml.safe_load(git(clone, 'show', f'HEAD:rosdep/{name}.yaml'))
    return {key for key, rules in keys.items() if all(of_apt(rules, each) for each in UBUNTUS)}


def released(clone: Path, distribution: str) -> set[str]:
    """Return the names of the packages that are released into a ROS distribution."""
    content = yaml.safe_load(git(clone, 'show', f'HEAD:{distribution}/distribution.yaml'))
    packages: set[str] = set()
    for name, repository in content['repositories'].items():
        release = repository.get('release', {})
        if 'version' in release:
            packages |= set(release.get('packages', [name]))
    return packages


def main(clone: Path) -> None:
    """Print the list."""
    commit, day = git(clone, 'log', '-1', '--format=%H %cs').split()
    print('# Written by tools/rosdep_keys.py from github.com/ros/rosdistro,')
    print(f'# commit {commit} of {day}.')
    print(f'\n# rosdep keys that apt resolves on Ubuntu {", ".join(UBUNTUS)}')
    print(*sorted(keys_of_apt(clone)), sep='\n')
    print(f'\n# packages that are released into {", ".join(DISTRIBUTIONS)}')
    print(*sorted(set.intersection(*(released(clone, each) for each in DISTRIBUTIONS))), sep='\n')


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(f'usage: {sys.argv[0]} path/to/rosdistro > test/rosdep_keys.txt')
    main(Path(sys.argv[1]))
