# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the requirements and locks in requirements/."""

from __future__ import annotations

from pathlib import Path
import re

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).parents[2] / 'requirements'
LOCKED = REQUIREMENTS / 'locked'


def requirements(path: Path) -> list[Requirement]:
    """Return the requirements of a file, without hashes."""
    text = re.sub(r' *\\\n +--hash=\S+', '', path.read_text())
    lines = (re.sub(r'(^|\s)#.*', '', line).strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def canonical(name: str) -> str:
    """Return the normalized name of a package (PEP 503)."""
    return re.sub(r'[-_.]+', '-', name).lower()


def on(python: str, given: list[Requirement]) -> list[Requirement]:
    """Return the requirements that apply to a Python on Linux (x86_64)."""
    machine = {
        'python_version': python,
        'python_full_version': f'{python}.2',
        'sys_platform': 'linux',
        'platform_system': 'Linux',
        'platform_machine': 'x86_64',
        'implementation_name': 'cpython',
        'platform_python_implementation': 'CPython',
    }
    return [each for each in given if each.marker is None or each.marker.evaluate(machine)]


def versions(python: str, lock: str) -> dict[str, str]:
    """Return the version of each package in a lock for a Python."""
    found: dict[str, str] = {}
    for each in on(python, requirements(LOCKED / lock)):
        (pin,) = each.specifier
        assert pin.operator == '=='
        assert found.setdefault(canonical(each.name), pin.version) == pin.version, each
    return found
