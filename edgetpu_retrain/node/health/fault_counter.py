# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FaultCounter: counts faults that may occur in every frame, and limits their log lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
import math
import threading
import time

from edgetpu_retrain.wording import presentable

PERIOD_S = 1.0


class FaultCounter:
    """
    Counts faults and logs each kind at most once a second per camera; thread-safe.

    rclpy's ``throttle_duration_sec`` works per line of code, so it would throttle all cameras
    together; and it takes 0.3 ms for each message that it suppresses.

    Args:
        log: called with each line to log.

    >>> faults = FaultCounter(print)
    >>> for _ in range(2):
    ...     faults.add('front', 'unusable image', 'width is 0')
    camera 'front': unusable image (1 so far): width is 0
    """

    def __init__(self, log: Callable[[str], object]) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last_logged: dict[tuple[str, str], float] = {}
        self._latest: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def add(self, camera: str, kind: str, reason: str) -> None:
        """
        Count a fault; log it unless one of its kind was logged less than a second ago.

        Args:
            camera: name of the camera.
            kind: name of the kind of fault.
            reason: what is wrong and how to fix it.
        """
        now, reason = time.monotonic(), presentable(reason)
        key = camera, kind
        with self._lock:
            self._counts[key] += 1
            self._latest[camera][kind] = f'{kind}: {reason}'
            if now - self._last_logged.get(key, -math.inf) < PERIOD_S:
                return
            self._last_logged[key] = now
            count = self._counts[key]
        self._log(f'camera {camera!r}: {kind} ({count} so far): {reason}')

    def latest(self, camera: str) -> str:
        """Return a camera's faults since the last call, the latest of each kind, or ``''``."""
        with self._lock:
            return '; '.join(self._latest.pop(camera, {}).values())
