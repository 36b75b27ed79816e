# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From what ``benchmarks/soak`` saw to its figures, tables and exit code."""

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
class Soak:
    """
    What was seen of the node.

    Args:
        begin: seconds of CLOCK_MONOTONIC.
        end: the same.
        usages: of the node's process, one a second.
        cpu_seconds: of processor time that it took.
        noted: by the clients.
        frames: pairs of the moment and the latency of each frame's answer, seconds.
        published: how many frames there were.
        errors: a sentence each, those of the clients among them.
    """

    begin: float = 0.0
    end: float = 0.0
    usages: list[Usage] = field(default_factory=list)
    cpu_seconds: float = 0.0
    noted: dict[str, Any] = field(default_factory=dict)
    frames: list[tuple[float, float]] = field(default_factory=list)
    published: int = 0
    errors: list[str] = field(default_factory=list)


def report(seen: Soak, described: Mapping[str, str]) -> int:
    """Print the figures of a run, and return the exit code."""
    values = values_of_windows(seen)
    figures = figures_of(seen, values)
    print_table('figures', figures)
    windows = {name: _rounded(each) for name, each in values.items()}
    print_table('windows', windows)
    print_table('requests', dict(sorted(seen.noted['counts'].items())))
    for words in seen.errors[:_SHOWN_ERRORS]:
        print(f'error: {words}')
    missed = missed_goals(figures)
    for words in missed:
        print(f'missed: {words}')
    counts = seen.noted['counts']
    print(json.dumps({**figures, 'windows': windows, 'counts': counts, 'machine': described}))
    return 1 if missed else 0


def values_of_windows(seen: Soak) -> dict[str, list[float]]:
    """Return each figure's value in each window; `slow_p50` is of answers that take their time."""
    windows = Windows.of(seen.begin, seen.end)
    usages = [each for each in seen.usages if each.when >= windows.begin]
    answers = seen.noted['answers']
    return {
        'memory': windows.medians([(each.when, each.resident_mib) for each in usages]),
        'handles': windows.medians([(each.when, each.handles) for each in usages]),
        'threads': windows.medians([(each.when, each.threads) for each in usages]),
        'p99': windows.percentiles(_milliseconds(answers[QUICK])),
        'peer_p99': windows.percentiles(_milliseconds(answers[PEER])),
        'slow_p50': windows.medians(_milliseconds(answers[SLOW])),
        'frame_p99': windows.percentiles(_milliseconds(seen.frames)),
    }


def figures_of(seen: Soak, values: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the figures of a run, given each figure's value in each window."""
    courses = {name: Course.of(each) for name, each in values.items() if each}
    figures: dict[str, float] = {'errors': len(seen.errors)}
    # Of a node that has ended at once nothing is known.
    unknown = Course(float('nan'), float('nan'), float('nan'))
    for name, unit in _UNITS.items():
        course = courses.get(name, unknown)
        figures[f'{name}_drift'] = course.drift
        figures[f'{name}_start{unit}'] = course.start
        figures[f'{name}_end{unit}'] = course.end
    for name in ('handles', 'threads'):
        course = courses.get(name, unknown)
        figures[f'{name}_start'], figures[f'{name}_end'] = course.start, course.end
    lasted = seen.end - seen.begin
    return {
        **figures,
        'minutes': lasted / 60,
        'requests': sum(len(seen.noted['answers'][kind]) for kind in (QUICK, SLOW)),
        'frames': seen.published,
        'frames_answered': len(seen.frames),
        'cpu_percent': 100 * seen.cpu_seconds / lasted,
    }


def _rounded(values: list[float]) -> list[float]:
    """Return values with as many digits as people read."""
    return [round(value, 1) for value in values]


def _milliseconds(moments: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(when, 1000 * seconds) for when, seconds in moments]
