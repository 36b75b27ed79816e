# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Prints the figures of the soak test, and returns its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from typing import Any

from benchmarks.shared.tables import print_table
from benchmarks.soak.client import PEER, QUICK, SLOW
from benchmarks.soak.figures import Course, missed_goals, Usage, Windows

_UNITS = {'memory': '_mib', 'p99': '_ms', 'peer_p99': '_ms', 'frame_p99': '_ms'}
_SHOWN_ERRORS = 20


@dataclass
class Observations:
    """
    Everything that was observed of the node.

    Args:
        samples: number of samples in the store at the start.
        begin: seconds of CLOCK_MONOTONIC.
        end: the same.
        usages: resources of the node's process, once a second.
        cpu_seconds: processor time of the node.
        clients: records of the clients: responses, errors and counts.
        frames: pairs of publication and latency of each classified frame, seconds.
        published: number of published frames.
        errors: a sentence each, including those of the clients.
    """

    samples: int
    begin: float = 0.0
    end: float = 0.0
    usages: list[Usage] = field(default_factory=list)
    cpu_seconds: float = 0.0
    clients: dict[str, Any] = field(default_factory=dict)
    frames: list[tuple[float, float]] = field(default_factory=list)
    published: int = 0
    errors: list[str] = field(default_factory=list)


def report(observed: Observations, described: Mapping[str, str]) -> int:
    """Print the figures of a run, and return the exit code."""
    values = values_of_windows(observed)
    figures = figures_of(observed, values)
    print_table('figures', figures)
    windows = {name: _rounded(each) for name, each in values.items()}
    print_table('windows', windows)
    print_table('requests', dict(sorted(observed.clients['counts'].items())))
    for error in observed.errors[:_SHOWN_ERRORS]:
        print(f'error: {error}')
    missed = missed_goals(figures)
    for goal in missed:
        print(f'missed: {goal}')
    counts = observed.clients['counts']
    print(json.dumps({**figures, 'windows': windows, 'counts': counts, 'machine': described}))
    return 1 if missed else 0


def values_of_windows(observed: Observations) -> dict[str, list[float]]:
    """Return the values of each figure, one per window; `slow_p50` is of slow requests."""
    windows = Windows.of(observed.begin, observed.end)
    usages = [each for each in observed.usages if each.when >= windows.begin]
    responses = observed.clients['responses']
    return {
        'memory': windows.medians([(each.when, each.resident_mib) for each in usages]),
        'handles': windows.medians([(each.when, each.handles) for each in usages]),
        'threads': windows.medians([(each.when, each.threads) for each in usages]),
        'p99': windows.percentiles(_milliseconds(responses[QUICK])),
        'peer_p99': windows.percentiles(_milliseconds(responses[PEER])),
        'slow_p50': windows.medians(_milliseconds(responses[SLOW])),
        'frame_p99': windows.percentiles(_milliseconds(observed.frames)),
    }


def figures_of(observed: Observations, values: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the figures of a run, given the values of each figure, one per window."""
    courses = {name: Course.of(each) for name, each in values.items() if each}
    figures: dict[str, float] = {'errors': len(observed.errors)}
    # A node that ended at once has no values.
    unknown = Course(float('nan'), float('nan'), float('nan'))
    for name, unit in _UNITS.items():
        course = courses.get(name, unknown)
        figures[f'{name}_drift'] = course.drift
        figures[f'{name}_start{unit}'] = course.start
        figures[f'{name}_end{unit}'] = course.end
    for name in ('handles', 'threads'):
        course = courses.get(name, unknown)
        figures[f'{name}_start'], figures[f'{name}_end'] = course.start, course.end
    lasted = observed.end - observed.begin
    return {
        **figures,
        'minutes': lasted / 60,
        'samples': observed.samples,
        'requests': sum(len(observed.clients['responses'][kind]) for kind in (QUICK, SLOW)),
        'frames': observed.published,
        'frames_answered': len(observed.frames),
        'cpu_percent': 100 * observed.cpu_seconds / lasted,
    }


def _rounded(values: list[float]) -> list[float]:
    """Return values with one decimal."""
    return [round(value, 1) for value in values]


def _milliseconds(moments: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(when, 1000 * seconds) for when, seconds in moments]
