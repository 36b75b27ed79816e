# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameStatistics: counts each camera's frames and times the stages of their processing."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
import threading
from typing import NamedTuple

import numpy as np

COUNTS = ('received', 'dropped', 'classified', 'unusable', 'lost')
"""
Counts of frames.

``dropped``: replaced by a newer frame; ``unusable``: malformed; ``lost``: to a failure of the
node or its device.
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
Counts of detections, for cameras that have them.

``unmatched``: no image with their stamp; ``dropped``: replaced by those of a newer image;
``lost``: malformed, or to a failure; ``boxes skipped``: outside of the image, without a size, or
more than ``max_detections``.
"""

WINDOW = 512
"""Number of frames whose times are kept: about 15 seconds at 30 frames a second."""


class StageTimes(NamedTuple):
    """
    Duration of each stage of a frame, seconds.

    Args:
        waiting: for the previous frame.
        conversion: to RGB.
        resize: to the model's input.
        inference: of the model.
        publication: including the wait for the previous publication.
        total: from the image's callback to the end of the publication.
    """

    waiting: float
    conversion: float
    resize: float
    inference: float
    publication: float
    total: float


@dataclass(frozen=True)
class CameraStatistics:
    """
    Statistics of a camera.

    Args:
        counts: number of frames since the node was configured, by :data:`COUNTS`.
        detections: number of detections, by :data:`DETECTION_COUNTS`; empty without detections.
        latencies: stage to median and 99th percentile, seconds; empty without classified frames.
        loss: share of the images of the last seconds that did not arrive, 0 to 1.
    """

    counts: Mapping[str, int]
    detections: Mapping[str, int]
    latencies: Mapping[str, tuple[float, float]]
    loss: float = 0.0


class FrameStatistics:
    """The statistics of all cameras; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._times: dict[str, deque[StageTimes]] = defaultdict(lambda: deque(maxlen=WINDOW))

    def count(self, camera: str, what: str, number: int = 1) -> None:
        """
        Count frames or detections.

        Args:
            camera: its name.
            what: one of :data:`COUNTS` or :data:`DETECTION_COUNTS`.
            number: how many; 0 marks a camera that has detections.
        """
        with self._lock:
            self._counts[camera][what] += number

    def add_classified(self, camera: str, times: StageTimes) -> None:
        """Count a classified frame and keep its times."""
        with self._lock:
            self._counts[camera]['classified'] += 1
            self._times[camera].append(times)

    def summary(self, camera: str) -> CameraStatistics:
        """Return the statistics of a camera."""
        with self._lock:
            counts = self._counts[camera].copy()
            times = list(self._times[camera])
        has_detections = any(what in counts for what in DETECTION_COUNTS)
        latencies = {}
        if times:
            percentiles = np.percentile(times, (50, 99), axis=0).T.tolist()
            latencies = dict(zip(StageTimes._fields, map(tuple, percentiles), strict=True))
        return CameraStatistics(
            {what: counts[what] for what in COUNTS},
            {what: counts[what] for what in DETECTION_COUNTS if has_detections},
            latencies,
        )
