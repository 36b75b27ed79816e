# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FaultCounter: counts faults that can occur with every frame, and logs one a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
import math
import threading
import time

from edgetpu_retrain.wording import presentable

PERIOD_S = 1.0


class FaultCounter:
    """
    Counts one kind of fault and logs it at most once a second per camera; thread-safe.

    The ``throttle_duration_sec`` of rclpy would throttle all cameras together, because it works
    per line of code, and takes 0.3 ms for each message that it does not log.

    Args:
        kind: name of the fault in the log.
        log: logs a message.

    >>> faults = FaultCounter('unusable image', print)
    >>> for _ in range(2):
    ...     faults.add('front', 'width is 0')
    camera 'front': unusable image (1 so far): width is 0
    """

    def __init__(self, kind: str, log: Callable[[str], object]) -> None:
        self._kind = kind
        self._log = log
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._last_logged: dict[str, float] = {}
        self._latest: dict[str, str] = {}

    def add(self, camera: str, reason: str) -> None:
        """
        Count a fault; log it unless one of this camera was logged less than a second ago.

        Args:
            camera: its name.
            reason: what is wrong and how to fix it.
        """
        now, reason = time.monotonic(), presentable(reason)
        with self._lock:
            self._counts[camera] += 1
            self._latest[camera] = f'{self._kind}: {reason}'
            if now - self._last_logged.get(camera, -math.inf) < PERIOD_S:
                return
            self._last_logged[camera] = now
            count = self._counts[camera]
        self._log(f'camera {camera!r}: {self._kind} ({count} so far): {reason}')

    def latest(self, camera: str) -> str:
        """Return a camera's latest fault since the last call, or ``''``."""
        with self._lock:
            return self._latest.pop(camera, '')
