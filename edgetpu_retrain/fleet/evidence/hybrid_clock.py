# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
HybridClock: orders the claims of all robots, even if their clocks differ.

A value has the milliseconds since 1970 in its upper bits and a counter in its lower 16 bits.  A
clock returns the time of day, or one more than the greatest value that it has returned or accepted
so far, whichever is greater.  See Kulkarni et al., 'Logical Physical Clocks and Consistent
Snapshots in Globally Distributed Databases', 2014.
"""

from __future__ import annotations

from collections.abc import Callable
import threading
import time

MAX_AHEAD_MS = 600_000
"""How far a value may be ahead of the time of day to be accepted, milliseconds."""

MAX_CLOCK = 2**63 - 1
"""The largest value that SQLite can store; it is reached in the year 6429."""

_COUNTER_BITS = 16


def time_ms() -> int:
    """Return the time of day, milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def physical_ms(value: int) -> int:
    """Return the milliseconds since 1970 that a value contains."""
    return value >> _COUNTER_BITS


def is_ahead(value: int, now_ms: int) -> bool:
    """Return whether a value is too far ahead of the time of day to be accepted."""
    return physical_ms(value) > now_ms + MAX_AHEAD_MS


class HybridClock:
    """
    The clock of one robot; any thread may use it.

    Args:
        now_ms: returns the time of day, milliseconds since 1970.

    >>> clock = HybridClock(now_ms=lambda: 1000)
    >>> clock.observe(1500 << 16)
    >>> [(physical_ms(value), value & 0xFFFF) for value in (clock.next(), clock.next())]
    [(1500, 1), (1500, 2)]
    """

    def __init__(self, now_ms: Callable[[], int] = time_ms) -> None:
        self._now_ms = now_ms
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:  # noqa: A003
        """Return a value that is later than all values returned or accepted before."""
        with self._lock:
            # A full counter overflows into the milliseconds, so values keep growing.
            self._last = max(self._now_ms() << _COUNTER_BITS, self._last + 1)
            return self._last

    def observe(self, value: int) -> None:
        """Accept a value, so that the next ones are later; ignore it if it is too far ahead."""
        with self._lock:
            if not is_ahead(value, self._now_ms()):
                self._last = max(self._last, value)
