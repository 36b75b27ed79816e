# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares imports with docs/architecture.md: allowed imports, size of packages, no cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = 'edgetpu_retrain'
PAGE = (ROOT / 'docs' / 'architecture.md').read_text(encoding='utf-8')
# Modules of the package itself, which are not rooms.
TOP = {'', '__main__'}
MOST_FILES = 15


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


MODULES = {module_name(path): path for path in sorted((ROOT / PACKAGE).rglob('*.py'))}


def room(module: str) -> str:
    return [*module.split('.'), ''][1]


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules of this package that a module imports, in functions as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = {f'{node.module}.{alias.name}' for alias in node.names}
            found |= names if names <= MODULES.keys() else {node.module} | names
    return frozenset(found & MODULES.keys())


def rows() -> Iterator[tuple[str, str]]:
    table = PAGE.split('| room | what it is for | may import |\n| --- | --- | --- |\n')[1]
    for line in table.split('\n\n')[0].splitlines():
        name, _, others = line.strip('| ').split(' | ', 2)
        yield name.strip('`'), others


def allowed() -> dict[str, set[str]]:
    """Return what the table lets each room import; 'all above but' counts the rows above."""
    rules: dict[str, set[str]] = {}
    for name, others in rows():
        named = set(re.findall(r'`(\w+)`', others))
        rules[name] = set(rules) - named if others.startswith('all above but') else named
    return rules


RULES = allowed()


def test_every_room_has_a_row() -> None:
    assert RULES.keys() == {room(module) for module in MODULES} - TOP


@pytest.mark.parametrize('name', RULES)
def test_a_room_imports_what_its_row_says(name: str) -> None:
    for module in (each for each in MODULES if room(each) == name):
        rooms = {room(each) for each in imports(module)} - {name}
        assert rooms <= RULES[name], f'{module} imports {rooms - RULES[name]}'


@pytest.mark.parametrize('name', RULES)
def test_no_row_allows_unused_imports(name: str) -> None:
    used = {room(each) for module in MODULES if room(module) == name for each in imports(module)}
    if name not in {'command_line', 'node'}:  # which name what they must not use
        assert RULES[name] <= used


def test_rooms_only_import_downwards() -> None:
    tuple(TopologicalSorter(RULES).static_order())


def test_no_circle_between_modules() -> None:
    # A package's imports of its own modules do not count.
    graph = {
        module: {each for each in imports(module) if not module.startswith(f'{each}.')}
        for module in MODULES
        if MODULES[module].name != '__init__.py'
    }
    tuple(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    'folder', [path.parent for path in MODULES.values() if path.name == '__init__.py'], ids=str
)
def test_no_room_is_crowded(folder: Path) -> None:
    assert len(list(folder.glob('*.py'))) <= MOST_FILES


def test_every_room_within_a_room_is_described() -> None:
    inner = {
        str(path.parent.relative_to(ROOT / PACKAGE))
        for path in MODULES.values()
        if path.name == '__init__.py' and path.parent.parent != ROOT / PACKAGE
    } - {'.', 'demo/photographs'}
    assert inner == set(re.findall(r'^\| `([a-z_]+(?:/[a-z_]+)+)` \|', PAGE, re.MULTILINE))
