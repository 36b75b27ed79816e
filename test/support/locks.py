# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What requirements/locked names, read for the tests."""

from __future__ import annotations

from pathlib import Path
import re

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).parents[2] / 'requirements'
LOCKED = REQUIREMENTS / 'locked'


def requirements(path: Path) -> list[Requirement]:
    """Return the requirements of a file, those of a lock without their hashes."""
    text = re.sub(r' *\\\n +--hash=\S+', '', path.read_text())
    lines = (re.sub(r'(^|\s)#.*', '', line).strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def canonical(name: str) -> str:
    """Return the name under which indexes know a package (PEP 503)."""
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
    """Return the version of each package that a lock names for a Python."""
    found: dict[str, str] = {}
    for each in on(python, requirements(LOCKED / lock)):
        (pin,) = each.specifier
        assert pin.operator == '=='
        assert found.setdefault(canonical(each.name), pin.version) == pin.version, each
    return found
