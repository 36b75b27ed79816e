# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What became of each camera's frames, and how long each stage of their way took."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import math
import threading

STAGES = ('waiting', 'conversion', 'resize', 'inference', 'publication', 'total')
"""
From the arrival of an image to its classification:

``waiting`` for the frame before it, ``conversion`` to RGB, ``resize`` to the model's input,
``inference``, ``publication``, and all of it from the callback on.  Where the next image waits
already, publication begins with its inference, and goes on beside it.
"""

COUNTS = ('received', 'dropped', 'classified', 'unusable', 'lost')
"""
What can become of a frame.

``dropped``: a newer one came before its turn; ``unusable``: it held no picture; ``lost``: to a
failure of the node or its device.
"""

DETECTION_COUNTS = (
    'detections received',
    'detections unmatched',
    'detections dropped',
    'detections lost',
    'boxes classified',
    'boxes skipped',
)
"""
What can become of detections, for cameras that have them.

``unmatched``: no image of their stamp; ``dropped``: those of a newer image came before their
turn; ``lost``: their image held no picture, or something broke; ``boxes skipped``: outside of
the image, without a size, or more than ``max_detections``.
"""

WINDOW = 512
"""Of so many latest frames percentiles are taken: some 15 seconds at 30 frames a second."""


@dataclass(frozen=True)
class CameraStatistics:
    """
    One camera's numbers at one moment.

    Args:
        counts: how many frames since the node was configured, by :data:`COUNTS`.
        detections: how many detections, by :data:`DETECTION_COUNTS`; empty for a camera without.
        latencies: stage to median and 99th percentile, seconds; only stages that were measured.
    """

    counts: Mapping[str, int]
    detections: Mapping[str, int]
    latencies: Mapping[str, tuple[float, float]]


class FrameStatistics:
    """
    The statistics of all cameras; every method may be called from any thread.

    Args:
        cameras: their names.
    """

    def __init__(self, cameras: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in cameras}
        self._latencies: dict[str, dict[str, deque[float]]] = {name: {} for name in self._counts}

    def count(self, camera: str, what: str, number: int = 1) -> None:
        """
        Count frames, see :data:`COUNTS`, or detections, see :data:`DETECTION_COUNTS`.

        Args:
            camera: its name.
            what: became of them.
            number: how many; 0 tells that there can be some.
        """
        with self._lock:
            self._counts[camera][what] += number

    def measured(self, camera: str, stages: Mapping[str, float]) -> None:
        """Note how long stages of a frame took, in seconds, see :data:`STAGES`."""
        with self._lock:
            windows = self._latencies[camera]
            for stage, seconds in stages.items():
                windows.setdefault(stage, deque(maxlen=WINDOW)).append(seconds)

    def of(self, camera: str) -> CameraStatistics:
        """Return the numbers of a camera."""
        with self._lock:
            counted = dict(self._counts[camera])
            windows = {stage: list(window) for stage, window in self._latencies[camera].items()}
        has_detections = any(what in counted for what in DETECTION_COUNTS)
        return CameraStatistics(
            {what: counted.get(what, 0) for what in COUNTS},
            {what: counted.get(what, 0) for what in DETECTION_COUNTS if has_detections},
            {
                stage: (percentile(seconds, 50), percentile(seconds, 99))
                for stage, seconds in windows.items()
            },
        )


def percentile(values: list[float], percent: float) -> float:
    """
    Return the smallest value that at least so many percent of the values do not exceed.

    Args:
        values: at least one.
        percent: above 0, up to 100.

    >>> percentile([3.0, 1.0, 2.0, 4.0], 50), percentile([3.0, 1.0, 2.0, 4.0], 99)
    (2.0, 4.0)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
