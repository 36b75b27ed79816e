# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FaultCounter: counts faults that can occur with every frame, and limits their log lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
import math
import re
import threading
import time

from edgetpu_retrain.wording import presentable

PERIOD_S = 1.0
"""Minimum time between log lines about faults of one kind of one camera, seconds."""

REPEAT_S = 60.0
"""Time after which a fault that continues is logged again, seconds."""

OVER_S = 10.0
"""A fault that occurs again after at least this time, seconds, is logged as a new fault."""

LATEST_S = 2.0
"""Minimum time for which a fault counts as a problem of its camera, seconds."""

_MOST_FAULTS = 100
_NUMBER = re.compile(r'\d+')


@dataclass
class _Times:
    logged: float = -math.inf
    seen: float = -math.inf


class FaultCounter:
    """
    Counts faults, logs each fault once, and again every minute if it continues; thread-safe.

    Faults whose reasons differ only in numbers are treated as one fault.  Of the faults of one
    camera and kind, at most one is logged in a second.  Each log line contains the number of
    occurrences of all faults of this camera and kind so far.

    ``throttle_duration_sec`` of rclpy is not used.  It works per line of code, so it would
    throttle all cameras together, and it takes 0.3 ms for each message that it suppresses.

    Args:
        log: called with each line to log.

    >>> faults = FaultCounter(print)
    >>> for width in range(2):
    ...     faults.add('front', 'unusable image', f'width is {width}')
    camera 'front': unusable image (1 so far): width is 0
    """

    def __init__(self, log: Callable[[str], object]) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._kinds: defaultdict[tuple[str, str], _Times] = defaultdict(_Times)
        self._faults: defaultdict[tuple[str, str, str], _Times] = defaultdict(_Times)
        self._latest: defaultdict[str, dict[str, tuple[float, str]]] = defaultdict(dict)
        self._good: dict[str, float] = {}

    def add(self, camera: str, kind: str, reason: str) -> None:
        """
        Count a fault, and log it if it is new or due to be logged again.

        Args:
            camera: name of the camera.
            kind: name of the kind of fault.
            reason: what is wrong and how to fix it.
        """
        now, reason = time.monotonic(), presentable(reason)
        with self._lock:
            self._counts[camera, kind] += 1
            self._latest[camera][kind] = now, f'{kind}: {reason}'
            if not self._is_due((camera, kind, _NUMBER.sub('0', reason)), now):
                return
            count = self._counts[camera, kind]
        self._log(f'camera {camera!r}: {kind} ({count} so far): {reason}')

    def good_frame(self, camera: str) -> None:
        """Record that a frame of a camera had no fault."""
        self._good[camera] = time.monotonic()

    def latest(self, camera: str, since: float = math.inf) -> str:
        """
        Return a camera's latest fault of each kind, or ``''`` if all are over.

        A fault is over once :data:`LATEST_S` have passed and a later frame was good.  The time
        alone is not enough, because a slow camera may send one frame in ten seconds.

        Args:
            camera: name of the camera.
            since: faults since this time are included even if they are over; seconds of
                :func:`time.monotonic`.
        """
        since = min(since, time.monotonic() - LATEST_S)
        with self._lock:
            latest = self._latest.get(camera, {}).values()
            good = self._good.get(camera, -math.inf)
            return '; '.join(fault for at, fault in latest if at >= since or at > good)

    def _is_due(self, key: tuple[str, str, str], now: float) -> bool:
        if len(self._faults) > _MOST_FAULTS:
            self._faults.clear()
        fault, kind = self._faults[key], self._kinds[key[:2]]
        is_new = now - fault.seen >= OVER_S or now - fault.logged >= REPEAT_S
        fault.seen = now
        if not is_new or now - kind.logged < PERIOD_S:
            return False
        fault.logged = kind.logged = now
        return True
