# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Set-up on a day on which everything has a newer release, with an old pip and with a new one.

tools/dev.sh runs as it is, in a copy of the checkout whose locks name tiny wheels of the same
names and versions.  Nothing is taken from a network.
"""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest
from support.later_index import LATER, make_index
from support.locks import canonical, versions

ROOT = Path(__file__).parents[1]
PIPS = ROOT / '.cache' / 'pips'
PYTHON = f'{sys.version_info.major}.{sys.version_info.minor}'
DISTRO = os.environ.get('ROS_DISTRO', 'jazzy')

pytestmark = pytest.mark.skipif(
    not (PIPS / 'ready').exists(), reason='the pips to try come with `make test`'
)

# What dev.sh runs of what it has installed, and what it edits.
COLCON = """#!python
import pathlib, sys
def folder(option):
    return pathlib.Path(sys.argv[sys.argv.index(option) + 1])
folder('--build-base').mkdir(exist_ok=True)
folder('--install-base').mkdir(exist_ok=True)
(folder('--install-base') / 'local_setup.bash').touch()
"""
PYTEST = """
from importlib.metadata import distributions
def main():
    for each in distributions():
        print('installed', each.metadata['Name'], each.version)
"""
EXPORTS = 'share/any/cmake/export_any__rosidl_generator_pyExport.cmake'
SYSTEM = (
    'aiohttp',
    'click',
    'cryptography',
    'cv2',
    'jinja2',
    'matplotlib',
    'numpy',
    'qrcode',
    'rclpy',
    'rich',
)


def python_with(pip: Path, folder: Path) -> Path:
    """Return a Python whose environments begin with a certain pip."""
    real = Path(sys.base_prefix) / 'bin' / f'python{PYTHON}'
    program = folder / 'python'
    program.write_text(
        f"""#!/bin/sh
'{real}' "$@" || exit
case "$*" in "-m venv "*)
  for environment; do :; done
  "$environment/bin/python" -m pip install --quiet --no-index --no-deps --force-reinstall '{pip}'
esac
"""
    )
    program.chmod(0o755)
    return program


class Stranger:
    """A copy of the checkout on a machine that has an index of another day, and nothing else."""

    def __init__(self, folder: Path, pip: Path, lock: str) -> None:
        self.checkout = folder / 'checkout'
        for name in ('tools', 'edgetpu_retrain_interfaces', 'underlay', 'edgetpu_retrain'):
            (self.checkout / name).mkdir(parents=True)
            (self.checkout / name / 'any').touch()
        shutil.copy(ROOT / 'tools' / 'dev.sh', self.checkout / 'tools')
        shutil.copy(ROOT / 'colcon_defaults.yaml', self.checkout)
        self.locks = {
            name: versions(PYTHON, name)
            for name in ('build.txt', f'{lock}.txt', f'{lock}-test.txt', 'pip-oldest.txt')
        }
        self.locks['pip-newest.txt'] = self.locks['pip-oldest.txt']
        every = {name: version for lock in self.locks.values() for name, version in lock.items()}
        hashes = make_index(folder / 'simple', every, self.contents(every))
        locked = self.checkout / 'requirements' / 'locked'
        locked.mkdir(parents=True)
        for lock_name, pins in self.locks.items():
            lines = (f'{name}=={pins[name]} --hash=sha256:{hashes[name]}\n' for name in pins)
            (locked / lock_name).write_text(''.join(lines))
        self.variables = {
            'HOME': str(folder),
            'PATH': '/usr/local/bin:/usr/bin:/bin',
            'PYTHON': str(python_with(pip, folder)),
            'PIP_CONFIG_FILE': os.devnull,
            'PIP_INDEX_URL': (folder / 'simple').as_uri(),
        }

    def contents(self, every: dict[str, str]) -> dict[str, dict[str, str]]:
        """Return what is in some wheels: as much as dev.sh needs to come to its end."""
        files = {'pytest': {'pytest.py': PYTEST}}
        if 'colcon-core' in every:
            data = f'colcon_core-{every["colcon-core"]}.data'
            files['colcon-core'] = {
                f'{data}/scripts/colcon': COLCON,
                f'{data}/data/{EXPORTS}': '',
                'vision_msgs/msg.py': '',
            }
        return files

    def source_a_ros(self, folder: Path) -> None:
        """Make it a machine on which a ROS 2 from Debian packages is sourced."""
        for name in (*SYSTEM, 'vision_msgs'):
            (folder / 'system' / name).mkdir(parents=True)
            (folder / 'system' / name / '__init__.py').touch()
        (folder / 'system' / 'vision_msgs' / 'msg.py').touch()
        (folder / 'bin').mkdir()
        colcon = folder / 'bin' / 'colcon'
        colcon.write_text(COLCON.replace('#!python', '#!/usr/bin/env python3'))
        colcon.chmod(0o755)
        self.variables |= {
            'ROS_DISTRO': 'jazzy',
            'PATH': f'{folder / "bin"}:{self.variables["PATH"]}',
            'PYTHONPATH': str(folder / 'system'),
        }

    def test(self, *options: str) -> dict[str, str]:
        """Run what the README calls `make test`, and return the versions that it installed."""
        outcome = subprocess.run(
            [self.checkout / 'tools' / 'dev.sh', *options, 'test', '-q'],
            cwd=self.checkout,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, outcome.stderr
        installed: dict[str, str] = {}
        for line in outcome.stdout.splitlines():
            word, name, version = line.split()
            # What lies in the environment comes before what lies in the system.
            if word == 'installed':
                installed.setdefault(canonical(name), version)
        return installed


@pytest.mark.parametrize('age', ['oldest', 'newest'])
@pytest.mark.parametrize('route', ['wheels', 'apt'])
def test_installs_only_locked_versions(route: str, age: str, tmp_path: Path) -> None:
    (pip,) = (PIPS / age).glob('*.whl')
    lock = DISTRO if route == 'wheels' else 'apt'
    stranger = Stranger(tmp_path, pip, lock)
    if route == 'apt':
        stranger.source_a_ros(tmp_path)
        installed = stranger.test()
    else:
        installed = stranger.test('--ros', DISTRO)
    assert installed['pip'] == pip.name.split('-')[1]
    wanted = stranger.locks[f'{lock}.txt'] | stranger.locks[f'{lock}-test.txt']
    assert wanted.items() <= installed.items()
    assert LATER not in installed.values()
