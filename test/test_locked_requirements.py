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
"""The locks of the bare set-up: they fit what is asked for, and hold each file to a hash."""

from __future__ import annotations

from pathlib import Path
import re

from packaging.requirements import Requirement
import pytest

REQUIREMENTS = Path(__file__).parents[1] / 'requirements'
LOCKED = REQUIREMENTS / 'locked'

PYTHONS = ('3.10', '3.11', '3.12', '3.13', '3.14')
LOCKS = {
    'jazzy.txt': ('ros-jazzy.txt', 'runtime.txt'),
    'jazzy-test.txt': ('test.txt', 'test-jazzy.txt'),
    'kilted.txt': ('ros-kilted.txt', 'runtime.txt'),
    'kilted-test.txt': ('test.txt',),
}


def requirements(path: Path) -> list[Requirement]:
    """Return the requirements of a file, those of a lock without their hashes."""
    text = re.sub(r' *\\\n +--hash=\S+', '', path.read_text())
    lines = (line.partition('#')[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def canonical(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


def on(python: str, of: list[Requirement]) -> list[Requirement]:
    """Return those that are for a Python, on the Linux that the wheels are for."""
    machine = {
        'python_version': python,
        'python_full_version': f'{python}.2',
        'sys_platform': 'linux',
        'platform_system': 'Linux',
        'platform_machine': 'x86_64',
        'implementation_name': 'cpython',
        'platform_python_implementation': 'CPython',
    }
    return [each for each in of if each.marker is None or each.marker.evaluate(machine)]


def versions(python: str, lock: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in on(python, requirements(LOCKED / lock)):
        (pin,) = each.specifier
        assert pin.operator == '=='
        assert found.setdefault(canonical(each.name), pin.version) == pin.version, each
    return found


@pytest.mark.parametrize('python', PYTHONS)
@pytest.mark.parametrize('lock', LOCKS)
def test_what_is_asked_for_is_locked(lock: str, python: str) -> None:
    found = versions(python, lock)
    for name in LOCKS[lock]:
        for wanted in on(python, requirements(REQUIREMENTS / name)):
            assert wanted.specifier.contains(found[canonical(wanted.name)]), wanted


@pytest.mark.parametrize('python', PYTHONS)
@pytest.mark.parametrize('distro', ['jazzy', 'kilted'])
def test_tests_replace_nothing_that_is_installed(distro: str, python: str) -> None:
    base, added = versions(python, f'{distro}.txt'), versions(python, f'{distro}-test.txt')
    assert {name: added[name] for name in base.keys() & added.keys()}.items() <= base.items()


@pytest.mark.parametrize('lock', LOCKS)
def test_each_has_hashes_and_no_address(lock: str) -> None:
    text = (LOCKED / lock).read_text()
    assert '://' not in text
    assert '--index' not in text
    blocks = re.split(r'\n(?=\S)', text)
    assert blocks[0].startswith('# Written by `make lock`')
    for block in blocks[1:]:
        head, *hashes = block.strip().split(' \\\n')
        assert hashes, head
        assert all(re.fullmatch(r' +--hash=sha256:[0-9a-f]{64}', each) for each in hashes), head
