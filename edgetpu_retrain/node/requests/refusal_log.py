# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Refusals in the log: each that a person can read, and a number instead of a flood."""

from __future__ import annotations

import math

MOST_A_SECOND = 10
"""So many refusals a second are logged one by one: a person makes fewer, a program that is wrong
would fill the disk.  The ``throttle_duration_sec`` of rclpy would let only one through."""

_PERIOD_S = 1.0


class RefusalLog:
    """
    Decides which refusals are worth a line.

    >>> refusals = RefusalLog()
    >>> lines = [refusals.line('no such label', now=7.0) for _ in range(MOST_A_SECOND + 2)]
    >>> lines[0], lines[-1]
    ('no such label', None)
    >>> refusals.line('no such label', now=8.0)
    'no such label (2 other requests were refused before)'
    """

    def __init__(self) -> None:
        self._began = -math.inf
        self._logged = 0
        self._left_out = 0

    def line(self, message: str, now: float) -> str | None:
        """
        Return the line for a refusal, None when there were too many in this second.

        Args:
            message: what was answered.
            now: seconds of :func:`time.monotonic`.
        """
        if now - self._began >= _PERIOD_S:
            self._began, self._logged = now, 0
        if self._logged >= MOST_A_SECOND:
            self._left_out += 1
            return None
        self._logged += 1
        others, self._left_out = self._left_out, 0
        return f'{message} ({others} other requests were refused before)' if others else message
