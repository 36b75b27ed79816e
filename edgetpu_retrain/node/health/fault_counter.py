# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Faults that come with every frame: each is counted, one a second is told."""

from __future__ import annotations

from collections import Counter
import math
import threading

from edgetpu_retrain.wording import presentable

PERIOD_S = 1.0


class FaultCounter:
    """
    Counts one kind of fault by camera and words a report at most once a second for each.

    Any method may be called from any thread.

    Args:
        kind: what the fault is called in a report.

    >>> faults = FaultCounter('unusable image')
    >>> faults.add('front', 'width is 0', now=7.0)
    "camera 'front': unusable image (1 so far): width is 0"
    >>> faults.add('front', 'width is 0', now=7.5)
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._last_report: dict[str, float] = {}
        self._untold: dict[str, str] = {}

    def add(self, camera: str, reason: str, now: float) -> str | None:
        """
        Count a fault.

        Args:
            camera: where it happened.
            reason: what was wrong and what to do.
            now: seconds of :func:`time.monotonic`.

        Returns:
            The report, None when this camera's last one is less than a second old.
        """
        reason = presentable(reason)
        with self._lock:
            self._counts[camera] += 1
            self._untold[camera] = f'{self._kind}: {reason}'
            if now - self._last_report.get(camera, -math.inf) < PERIOD_S:
                return None
            self._last_report[camera] = now
            return f'camera {camera!r}: {self._kind} ({self._counts[camera]} so far): {reason}'

    def latest(self, camera: str) -> str:
        """Return the last fault of a camera since this was last asked, '' when there was none."""
        with self._lock:
            return self._untold.pop(camera, '')

    def total(self, camera: str) -> int:
        """Return how often it happened at a camera."""
        with self._lock:
            return self._counts[camera]
