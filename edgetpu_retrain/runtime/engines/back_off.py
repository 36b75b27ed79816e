# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Exponential back-off for retries."""

from __future__ import annotations

FIRST_S = 1.0
LONGEST_S = 60.0


class BackOff:
    """
    The delay after each failure: 1 s, 2 s, 4 s, ... up to 60 s.

    The delay returns to 1 s only if a failure comes 60 s or more after the last success, so a
    device that always fails right after recovery is not retried every second.  Times are seconds
    of a monotonic clock.
    """

    def __init__(self) -> None:
        self._next_s = FIRST_S
        self._succeeded_at: float | None = None

    def failed(self, now: float) -> float:
        """Record a failure at ``now`` and return the time of the next retry."""
        if self._succeeded_at is not None and now - self._succeeded_at >= LONGEST_S:
            self._next_s = FIRST_S
        self._succeeded_at = None
        wait_s, self._next_s = self._next_s, min(2 * self._next_s, LONGEST_S)
        return now + wait_s

    def succeeded(self, now: float) -> None:
        """Record a success at ``now``."""
        self._succeeded_at = now
