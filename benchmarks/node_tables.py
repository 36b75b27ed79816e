# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""How ``benchmarks/node.py`` prints its figures: Markdown, as in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LATENCY_COLUMNS = {
    'transport_ms': 'transport',
    'floor_ms': 'bare loop',
    'total_p50_ms': 'total p50',
    'total_p99_ms': 'p99',
    'added_p50_ms': 'added p50',
    'added_p99_ms': 'p99',
    'frames_lost': 'frames lost',
    'cpu_percent': 'CPU %',
}


def print_table(title: str, figures: Mapping[str, Any]) -> None:
    """Print names and values."""
    print(f'\n{title}\n\n| | |\n| --- | --- |')
    for name, value in figures.items():
        print(f'| {name.replace("_", " ")} | {text(value)} |')


def print_latencies(variants: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what the node adds for each kind of image, and the median of each stage."""
    print('\nlatency at 30 images a second, milliseconds\n')
    _print_row('images', *_LATENCY_COLUMNS.values())
    _print_row(*['---'] * (1 + len(_LATENCY_COLUMNS)))
    for variant, figures in variants.items():
        _print_row(variant, *(text(figures[name]) for name in _LATENCY_COLUMNS))
    stages = next(iter(variants.values()))['stages_ms']
    medians = [name for name in stages if name.endswith('p50')]
    print('\nstages, medians in milliseconds\n')
    names = [name.removesuffix(' p50') for name in medians]
    _print_row('images', 'deserialization by rclpy', *names)
    _print_row(*['---'] * (2 + len(medians)))
    for variant, figures in variants.items():
        values = (figures['stages_ms'].get(name, float('nan')) for name in medians)
        _print_row(variant, text(figures['deserialization_ms']), *map(text, values))


def text(value: Any) -> str:
    """Return a value as it is printed."""
    return f'{value:.3f}' if isinstance(value, float) else str(value)


def _print_row(*cells: str) -> None:
    print(f'| {" | ".join(cells)} |', flush=True)
