# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples in the docstrings of the package."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    path
    for path in sorted((ROOT / 'edgetpu_retrain').rglob('*.py'))
    if '>>> ' in path.read_text(encoding='utf-8')
]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


@pytest.mark.parametrize('name', [module_of(path) for path in FILES])
def test_the_examples_of_a_module_are_right(name: str) -> None:
    assert not doctest.testmod(importlib.import_module(name)).failed


def test_examples_are_found() -> None:
    assert len(FILES) > 30
