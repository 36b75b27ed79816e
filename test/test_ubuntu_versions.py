# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""`make test VERSIONS=...`: the locks hold an Ubuntu's versions, and its Python is found."""

from __future__ import annotations

import os
from pathlib import Path
import platform
import re
import shutil
import subprocess

from packaging.requirements import Requirement
import pytest

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / 'requirements'
PYTHONS = {'jammy': '3.10', 'noble': '3.12'}


def locked(*locks: str) -> set[tuple[str, str]]:
    """Return names and versions that locks hold."""
    texts = ((REQUIREMENTS / 'locked' / lock).read_text() for lock in locks)
    pin = re.compile(r'^([^\s=]+)==(\S+) \\$', re.MULTILINE)
    return {each for text in texts for each in pin.findall(text)}


def asked_for(*files: str, python: str) -> list[Requirement]:
    lines = '\n'.join((REQUIREMENTS / name).read_text() for name in files).splitlines()
    found = [Requirement(line) for each in lines if (line := each.partition('#')[0].strip())]
    here = {'python_version': python, 'python_full_version': f'{python}.2'}
    return [each for each in found if each.marker is None or each.marker.evaluate(here)]


def canonical(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


@pytest.mark.parametrize('ubuntu', PYTHONS)
def test_what_an_ubuntu_has_is_locked_and_nothing_else_beside_it(ubuntu: str) -> None:
    pins = locked(f'{ubuntu}.txt', f'{ubuntu}-test.txt')
    versions = dict(pins)
    assert len(versions) == len(pins)
    for wanted in asked_for(f'versions-{ubuntu}.txt', python=PYTHONS[ubuntu]):
        assert wanted.specifier.contains(versions[canonical(wanted.name)]), wanted


@pytest.mark.parametrize('ubuntu', PYTHONS)
def test_the_rest_is_what_the_package_and_its_tests_ask_for(ubuntu: str) -> None:
    python = PYTHONS[ubuntu]
    versions = dict(locked(f'{ubuntu}.txt', f'{ubuntu}-test.txt'))
    of_ubuntu = {each.name for each in asked_for(f'versions-{ubuntu}.txt', python=python)}
    files = ('ros-jazzy.txt', 'runtime.txt', 'test.txt', 'test-jazzy.txt')
    for wanted in asked_for(*files, python=python):
        if wanted.name not in of_ubuntu:
            assert wanted.specifier.contains(versions[canonical(wanted.name)]), wanted


def check(*arguments: str, path: str, python: str = '') -> str:
    """Return what `tools/dev.sh check` says of a Python that is none."""
    environment = {**os.environ, 'PATH': path, 'PYTHON': python}
    done = subprocess.run(
        [str(ROOT / 'tools' / 'dev.sh'), *arguments, 'check'],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\n{script}\n')
    path.chmod(0o755)
    return path


@pytest.mark.skipif(platform.machine() != 'x86_64', reason='the wheels of ROS 2 are for x86_64')
def test_behind_a_stand_in_of_pyenv_the_python_itself_is_found(tmp_path: Path) -> None:
    stand_in = program(tmp_path / 'pyenv/shims/python3.10', 'exit 127')
    real = program(tmp_path / 'pyenv/versions/3.10.99/bin/python3', 'echo 3.9 of this test')
    path = f'{stand_in.parent}:{os.environ["PATH"]}'
    assert f'{real} is Python 3.9' in check('--versions', 'jammy', path=path)


@pytest.mark.skipif(platform.machine() != 'x86_64', reason='the wheels of ROS 2 are for x86_64')
def test_a_python_of_another_version_is_refused(tmp_path: Path) -> None:
    other = program(tmp_path / 'bin/other', 'echo 3.13 of this test')
    words = check('--versions', 'noble', path=os.environ['PATH'], python=str(other))
    assert f'{other} is Python 3.13; the versions of noble are for Python 3.12' in words


def test_without_its_python_an_ubuntu_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for name in ('bash', 'cat', 'dirname'):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    words = check('--versions', 'jammy', path=str(tmp_path))
    assert 'no python3.10 that runs is in PATH' in words
    assert 'PYTHON=/path/to/python3.10' in words


def test_versions_that_there_are_not_are_refused() -> None:
    path = os.environ['PATH']
    assert 'choose jammy or noble' in check('--versions', 'focal', path=path)
    both = check('--ros', 'kilted', '--versions', 'jammy', path=path)
    assert 'tested with ROS 2 jazzy only, not kilted' in both
