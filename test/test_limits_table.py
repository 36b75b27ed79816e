# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares docs/limits.md with the constants that it names."""

from __future__ import annotations

import importlib
from pathlib import Path
import re

import pytest

PAGE = (Path(__file__).parents[1] / 'docs' / 'limits.md').read_text()
ROWS = re.findall(r'^\| [^|]+ \| ([\d.]+) \| [^|]+ \| `([\w.]+)\.(\w+)` \|$', PAGE, re.MULTILINE)


@pytest.mark.parametrize(('value', 'module', 'name'), ROWS)
def test_a_limit_is_the_one_in_the_code(value: str, module: str, name: str) -> None:
    assert getattr(importlib.import_module(f'edgetpu_retrain.{module}'), name) == float(value)


def test_every_row_is_read() -> None:
    headings = PAGE.count('| constant |')
    rows = [line for line in PAGE.splitlines() if line.startswith('| ')]
    assert len(ROWS) == len(rows) - 2 * headings
    assert len(ROWS) > 30
