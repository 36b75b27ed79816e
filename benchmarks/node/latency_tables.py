# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Prints reception and latencies of the node and their stages as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.shared.tables import print_row, text

_COLUMNS = {
    'transport_ms': 'transport p50',
    'transport_p99_ms': 'p99',
    'floor_ms': 'bare loop p50',
    'floor_p99_ms': 'p99',
    'total_p50_ms': 'total p50',
    'total_p99_ms': 'p99',
    'added_p50_ms': 'added p50',
    'added_p99_ms': 'p99',
    'frames_lost': 'frames lost',
    'cpu_percent': 'CPU %',
}


def print_reception(title: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    """
    Print which share of a reliable publisher's images arrive.

    Args:
        title: the settings of the publisher.
        rows: size and rate to the figures of ``measurements.reception``.
    """
    print(f'\nimages received of a reliable publisher, over those published; {title}\n')
    print_row('images', 'published', 'bare subscriber', 'node', 'node over subscriber')
    print_row(*['---'] * 5)
    for name, figures in rows.items():
        print_row(name, *map(text, figures.values()))


def print_latencies(variants: Mapping[str, Mapping[str, Any]]) -> None:
    """
    Print the latency that the node adds to each kind of image, and percentiles of each stage.

    Args:
        variants: kind of image, such as '640x480 raw', to the figures of ``measurements.latency``.
    """
    print('\nlatency at 30 images a second, milliseconds\n')
    print_row('images', *_COLUMNS.values())
    print_row(*['---'] * (1 + len(_COLUMNS)))
    for variant, figures in variants.items():
        print_row(variant, *(text(figures[name]) for name in _COLUMNS))
    stages = next(iter(variants.values()))['stages_ms']
    names = [name.removesuffix(' p50') for name in stages if name.endswith(' p50')]
    print('\nstages, median and 99th percentile in milliseconds\n')
    print_row('images', 'deserialization by rclpy', *names)
    print_row(*['---'] * (2 + len(names)))
    for variant, figures in variants.items():
        both = (
            [figures['stages_ms'].get(f'{name} {part}', float('nan')) for part in ('p50', 'p99')]
            for name in names
        )
        values = (f'{median:.2f}, {slow:.2f}' for median, slow in both)
        print_row(variant, text(figures['deserialization_ms']), *values)
