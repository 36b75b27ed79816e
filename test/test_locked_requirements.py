# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The locks that the set-up installs: versions, hashes and requirements."""

from __future__ import annotations

import re

import pytest
from support.locks import canonical, LOCKED, on, REQUIREMENTS, requirements, versions

PYTHONS = ('3.10', '3.11', '3.12', '3.13', '3.14')
LOCKS = {
    'apt.txt': ('runtime.txt',),
    'apt-test.txt': ('test.txt',),
    'build.txt': ('build.txt',),
    'fuzz.txt': ('fuzz.txt',),
    'jazzy.txt': ('ros-jazzy.txt', 'runtime.txt'),
    'jazzy-test.txt': ('test.txt', 'test-jazzy.txt'),
    'kilted.txt': ('ros-kilted.txt', 'runtime.txt'),
    'kilted-test.txt': ('test.txt',),
    'lint.txt': ('lint.txt',),
    'lock.txt': ('lock.txt',),
    'pip-newest.txt': ('pip-newest.txt',),
    'pip-oldest.txt': ('pip-oldest.txt',),
}
# For a single Python, with an Ubuntu's versions; see test_ubuntu_versions.py.
LOCKS_OF_UBUNTU = ('jammy.txt', 'jammy-test.txt', 'noble.txt', 'noble-test.txt')
# Locks to those that are installed before them into the same environment.
ADDED = {
    'apt-test.txt': ('apt.txt',),
    'jazzy.txt': ('build.txt',),
    'jazzy-test.txt': ('jazzy.txt',),
    'kilted.txt': ('build.txt',),
    'kilted-test.txt': ('kilted.txt',),
}


@pytest.mark.parametrize('python', PYTHONS)
@pytest.mark.parametrize('lock', LOCKS)
def test_all_requirements_are_locked(lock: str, python: str) -> None:
    found = versions(python, lock)
    for name in LOCKS[lock]:
        for wanted in on(python, requirements(REQUIREMENTS / name)):
            assert wanted.specifier.contains(found[canonical(wanted.name)]), wanted


@pytest.mark.parametrize('python', PYTHONS)
@pytest.mark.parametrize('lock', ADDED)
def test_no_lock_replaces_an_installed_version(lock: str, python: str) -> None:
    added = versions(python, lock)
    for earlier in ADDED[lock]:
        base = versions(python, earlier)
        assert {name: added[name] for name in base.keys() & added.keys()}.items() <= base.items()


@pytest.mark.parametrize('python', PYTHONS)
def test_no_lock_replaces_the_numpy_of_the_system(python: str) -> None:
    assert 'numpy' not in versions(python, 'apt.txt') | versions(python, 'apt-test.txt')


@pytest.mark.parametrize('lock', [*LOCKS, *LOCKS_OF_UBUNTU])
def test_locks_have_hashes_and_no_addresses(lock: str) -> None:
    text = (LOCKED / lock).read_text()
    assert '://' not in text
    assert '--index' not in text
    blocks = re.split(r'\n(?=\S)', text)
    assert blocks[0].startswith('# Written by `make lock`')
    for block in blocks[1:]:
        head, *hashes = block.strip().split(' \\\n')
        assert hashes, head
        assert all(re.fullmatch(r' +--hash=sha256:[0-9a-f]{64}', each) for each in hashes), head


def test_all_locks_are_tested() -> None:
    assert sorted(each.name for each in LOCKED.iterdir()) == sorted((*LOCKS, *LOCKS_OF_UBUNTU))
