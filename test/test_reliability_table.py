# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/reliability.md names existing tests."""

from __future__ import annotations

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[1]


def fault_rows(text: str) -> list[str]:
    """Return the rows of all tables whose first column is headed 'fault'."""
    tables = re.findall(r'^\| fault .*\n\| ---.*\n((?:\| .*\n)+)', text, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]


ROWS = fault_rows((ROOT / 'docs' / 'reliability.md').read_text())


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row.split('|')[1].strip()[:50])
def test_each_row_names_an_existing_test(row: str) -> None:
    *_, last, _ = row.split('|')
    files = [ROOT / name for name in re.findall(r'`(test/[a-z_/]+\.py)`', last)]
    assert files
    texts = [file.read_text() for file in files]
    for name in re.findall(r'`(test_[a-z0-9_]+)`', last):
        assert any(f'def {name}(' in text for text in texts), name
