# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Prints figures as Markdown tables, as in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def print_table(title: str, figures: Mapping[str, Any]) -> None:
    """Print a title and a table of names and values."""
    print(f'\n{title}\n\n| | |\n| --- | --- |')
    for name, value in figures.items():
        print_row(name.replace('_', ' '), text(value))


def print_row(*cells: str) -> None:
    """Print one row of a table."""
    print(f'| {" | ".join(cells)} |', flush=True)


def text(value: Any) -> str:
    """Return a value as text, numbers with three decimals."""
    return f'{value:.3f}' if isinstance(value, float) else str(value)
