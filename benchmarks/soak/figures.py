# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Computes the figures of the soak test and compares them with its goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import re
import statistics

from benchmarks.shared.figures import growth, percentile

WARM_UP_SHARE = 0.2
MOST_WARM_UP_S = 90.0
LONGEST_WINDOW_S = 30.0
LEAST_WINDOWS = 6
ENDS_SHARE = 1 / 3

MOST_MEMORY_DRIFT = 0.03
MOST_P99_DRIFT = 0.2

# Lines that show a bug: rclpy's levels, Python's tracebacks, and Fast DDS's errors.
_ALARMS = re.compile(r'^\[(ERROR|FATAL)\]|^Traceback |^Fatal Python error|\[[A-Z_]+ Error\]')


@dataclass(frozen=True)
class Usage:
    """
    The resources of a process at one moment.

    Args:
        when: seconds.
        resident_mib: resident memory.
        handles: number of open file descriptors.
        threads: number of threads.
    """

    when: float
    resident_mib: float
    handles: int
    threads: int


@dataclass(frozen=True)
class Windows:
    """
    The windows of equal length into which the time after the warm-up is divided.

    Args:
        begin: begin of the first window, seconds.
        length: length of a window, seconds.
        count: number of windows.
    """

    begin: float
    length: float
    count: int

    @classmethod
    def of(cls, begin: float, end: float) -> Windows:
        """Return the windows of a run: a fifth of it, at most 90 s, is warm-up."""
        lasted = end - begin
        warm_up = min(WARM_UP_SHARE * lasted, MOST_WARM_UP_S)
        count = max(LEAST_WINDOWS, int((lasted - warm_up) / LONGEST_WINDOW_S))
        return cls(begin + warm_up, (lasted - warm_up) / count, count)

    def split(self, moments: Sequence[tuple[float, float]]) -> list[list[float]]:
        """
        Return the values in each window.

        Args:
            moments: pairs of seconds and a value; those outside of all windows are ignored.
        """
        found: list[list[float]] = [[] for _ in range(self.count)]
        for when, value in moments:
            number = int((when - self.begin) // self.length)
            if 0 <= number < self.count:
                found[number].append(value)
        return found

    def medians(self, moments: Sequence[tuple[float, float]]) -> list[float]:
        """Return the median of each window that has any value."""
        return [statistics.median(values) for values in self.split(moments) if values]

    def percentiles(
        self, moments: Sequence[tuple[float, float]], percent: float = 99
    ) -> list[float]:
        """Return the percentile of each window that has any value."""
        return [percentile(values, percent) for values in self.split(moments) if values]


@dataclass(frozen=True)
class Course:
    """
    The change of a figure from the first windows to the last ones.

    Args:
        start: median over the first third of the windows.
        end: median over the last third.
        drift: ``end / start - 1``.
    """

    start: float
    end: float
    drift: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Course:
        """Return the change, given the value of each window."""
        count = max(1, round(ENDS_SHARE * len(values)))
        return cls(
            statistics.median(values[:count]),
            statistics.median(values[-count:]),
            growth(values, ENDS_SHARE),
        )


def alarms(log: str) -> list[str]:
    """Return the lines of a node's log that show a bug, and not a rejected request."""
    return [line for line in log.splitlines() if _ALARMS.search(line)]


def missed_goals(figures: dict[str, float]) -> list[str]:
    """Return the missed goals of a run, a sentence each."""
    missed = []
    if figures['errors']:
        missed.append(f'errors: {figures["errors"]:g}, none is allowed')
    for what in ('handles', 'threads'):
        start, end = figures[f'{what}_start'], figures[f'{what}_end']
        if end > start:
            missed.append(f'{what}: from {start:g} to {end:g}, none may be added')
    for what, most in (('memory', MOST_MEMORY_DRIFT), ('p99', MOST_P99_DRIFT)):
        drift = figures[f'{what}_drift']
        # Also true for NaN.
        if not drift < most:
            message = f'{what}_drift: {drift:.1%}, less than {most:.0%} is allowed'
            if what == 'p99':
                message += (
                    f' (a node that does nothing but respond: {figures["peer_p99_drift"]:.1%})'
                )
            missed.append(message)
    return missed
