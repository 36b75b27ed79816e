# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Whether a lock lacks anything: set-up installs what it names, and resolves nothing.

The metadata of the packages that are installed here tells, for this Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, PackageNotFoundError
import os
import sys

from packaging.requirements import Requirement
import pytest
from support.locks import canonical, REQUIREMENTS, requirements, versions

PYTHON = f'{sys.version_info.major}.{sys.version_info.minor}'
DISTRO = os.environ.get('ROS_DISTRO', '')
LEFT_OUT = {each.name for each in requirements(REQUIREMENTS / 'left-out-test-tools.txt')}

try:
    distribution('ros-rclpy')
except PackageNotFoundError:
    pytest.skip('ROS 2 is not from wheels here', allow_module_level=True)
if distribution('numpy').version != versions(PYTHON, f'{DISTRO}.txt')['numpy']:
    pytest.skip('the versions of an Ubuntu are imposed here', allow_module_level=True)


def asked_for(name: str, extras: Iterable[str]) -> Iterator[Requirement]:
    """Generate what a package asks for on this machine, with some of its extras."""
    for line in distribution(name).requires or ():
        each = Requirement(line)
        if each.marker is None or any(each.marker.evaluate({'extra': e}) for e in ('', *extras)):
            yield each


def missing(locked: dict[str, str]) -> dict[str, set[str]]:
    """Return what the packages of a lock ask for and do not get, and who asks for it."""
    lacking: dict[str, set[str]] = {}
    waiting = [(name, frozenset[str]()) for name in locked]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        for each in asked_for(name, extras):
            wanted = canonical(each.name)
            if wanted not in locked:
                lacking.setdefault(wanted, set()).add(name)
                continue
            assert each.specifier.contains(locked[wanted]), f'{name} asks for {each}'
            step = (wanted, frozenset(each.extras))
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return lacking


def test_setup_lacks_only_the_listed_test_tools() -> None:
    lacking = missing(versions(PYTHON, f'{DISTRO}.txt'))
    assert lacking.keys() <= LEFT_OUT, lacking


def test_the_environment_of_the_tests_lacks_only_requirements_of_colcon() -> None:
    locked = versions(PYTHON, f'{DISTRO}.txt') | versions(PYTHON, f'{DISTRO}-test.txt')
    lacking = missing(locked)
    assert all(by == {'colcon-core'} for by in lacking.values()), lacking
    assert lacking.keys() <= LEFT_OUT


def test_an_incomplete_lock_is_detected() -> None:
    locked = versions(PYTHON, f'{DISTRO}.txt')
    del locked['kiwisolver']
    assert missing(locked)['kiwisolver'] == {'matplotlib'}
