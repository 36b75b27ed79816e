# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""`make test VERSIONS=...`: the locks hold the versions of an Ubuntu."""

from __future__ import annotations

from pathlib import Path
import re

from packaging.requirements import Requirement
import pytest

REQUIREMENTS = Path(__file__).parents[1] / 'requirements'
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
def test_the_versions_of_an_ubuntu_are_locked(ubuntu: str) -> None:
    pins = locked(f'{ubuntu}.txt', f'{ubuntu}-test.txt')
    versions = dict(pins)
    assert len(versions) == len(pins)
    for wanted in asked_for(f'versions-{ubuntu}.txt', python=PYTHONS[ubuntu]):
        assert wanted.specifier.contains(versions[canonical(wanted.name)]), wanted


@pytest.mark.parametrize('ubuntu', PYTHONS)
def test_other_locked_versions_satisfy_the_requirements(ubuntu: str) -> None:
    python = PYTHONS[ubuntu]
    versions = dict(locked(f'{ubuntu}.txt', f'{ubuntu}-test.txt'))
    of_ubuntu = {each.name for each in asked_for(f'versions-{ubuntu}.txt', python=python)}
    files = ('ros-jazzy.txt', 'runtime.txt', 'test.txt', 'test-jazzy.txt')
    for wanted in asked_for(*files, python=python):
        if wanted.name not in of_ubuntu:
            assert wanted.specifier.contains(versions[canonical(wanted.name)]), wanted
