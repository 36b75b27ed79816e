# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Exponential back-off for retries."""

from __future__ import annotations

FIRST_S = 1.0
LONGEST_S = 60.0


class BackOff:
    """
    The delay after each failure: 1 s, 2 s, 4 s, ... up to 60 s.

    A success resets the delay only after it has lasted as long as the longest delay, so that a
    device that keeps failing right after recovery is not retried every second.

    Args:
        first_s: delay after the first failure, seconds.
        longest_s: the longest delay, seconds.
    """

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s
        self._succeeded_at: float | None = None

    def failed(self, now: float) -> float:
        """Record a failure at ``now`` and return the time of the next retry."""
        if self._succeeded_at is not None and now - self._succeeded_at >= self._longest_s:
            self._next_s = self._first_s
        self._succeeded_at = None
        wait_s, self._next_s = self._next_s, min(2 * self._next_s, self._longest_s)
        return now + wait_s

    def succeeded(self, now: float) -> None:
        """Record that the operation works since ``now``."""
        self._succeeded_at = now
