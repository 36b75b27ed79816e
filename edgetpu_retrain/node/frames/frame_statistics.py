# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FrameStatistics: counts each camera's frames, and keeps the durations of their stages."""

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

``dropped``: replaced by a newer frame before it was processed; ``unusable``: malformed; ``lost``:
not classified because the node or its device failed.
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
Counts of detection arrays and of their boxes, for cameras with detections.

``unmatched``: not matched with an image; ``dropped``: replaced by the detections of a newer image;
``lost``: malformed, or not classified because of a failure; ``boxes skipped``: outside of the
image, without a size, or more than ``max_detections``.
"""

WINDOW = 512
"""Number of the latest frames that the percentiles cover: about 17 seconds at 30 Hz."""


class StageTimes(NamedTuple):
    """
    Duration of each stage of a frame, seconds.

    Args:
        waiting: from arrival until the worker starts to process the frame.
        conversion: decoding and conversion to RGB.
        resize: scaling to the size of the model's input.
        inference: running the model.
        publication: from the end of inference to the end of publication.
        total: from arrival to the end of publication.
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
        counts: number of frames since the node was configured, for each of :data:`COUNTS`.
        detections: number of detection arrays or boxes since then, for each of
            :data:`DETECTION_COUNTS`; empty for a camera without detections.
        latencies: median and 99th percentile, seconds, for each field of :class:`StageTimes`;
            empty if no frame was classified.
        loss: estimated share of recently published images that did not arrive, 0 to 1.
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
            camera: name of the camera.
            what: one of :data:`COUNTS` or :data:`DETECTION_COUNTS`.
            number: how many to add.  For one of :data:`DETECTION_COUNTS`, even 0 marks the camera
                as one with detections.
        """
        with self._lock:
            self._counts[camera][what] += number

    def add_classified(self, camera: str, times: StageTimes) -> None:
        """Count a classified frame, and add its times to the percentiles."""
        with self._lock:
            self._counts[camera]['classified'] += 1
            self._times[camera].append(times)

    def summary(self, camera: str) -> CameraStatistics:
        """Return the statistics of a camera; ``loss`` is 0, because it is not measured here."""
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
