# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Checks detection arrays from another node, and matches them with images of the same stamp.

This module does not import ROS: a detection array is any object with the fields of
``vision_msgs/Detection2DArray``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.node.cameras.message_header import check_header, stamp_ns
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.wording import quoted

MOST_IMAGES = 32
"""Maximum number of images of a camera that wait for detections: one second at 30 Hz."""

MOST_IMAGE_BYTES = 256 * 1024 * 1024
"""Maximum total size of the images that wait, bytes; the newest image is kept in any case."""

MOST_DETECTIONS = 32
"""Maximum number of detection arrays of a camera that wait for their image."""

MAX_BOXES = 10_000
"""Maximum number of boxes in a detection array; detectors usually send 100 to 300."""

MAX_HYPOTHESES = 100_000
"""Maximum number of hypotheses in a detection array: ten for each of ``MAX_BOXES`` boxes."""

MAX_ID_LENGTH = 255
"""Maximum length of a box's id, characters; the id is published again with the classification."""


@dataclass(frozen=True, eq=False)
class BoxClassification:
    """
    The classification of a box.

    Args:
        detection: the ``vision_msgs/Detection2D`` of the box.
        scores: score of each class, float32 ``[C]``.
        embedding: raw embedding ``[D]``.
    """

    detection: Any
    scores: FloatArray
    embedding: RawArray


def check_detections(message: Any) -> None:
    """
    Reject a detection array that would take too much time or memory.

    Args:
        message: a ``vision_msgs/Detection2DArray``.

    Raises:
        ImageError: if a limit is exceeded.
    """
    check_header('the detections', message.header)
    if len(message.detections) > MAX_BOXES:
        raise ImageError(
            f'{len(message.detections)} boxes are more than {MAX_BOXES}: make the detector send '
            'only the best'
        )
    hypotheses = sum(len(each.results) for each in message.detections)
    if hypotheses > MAX_HYPOTHESES:
        raise ImageError(
            f'the boxes have {hypotheses} hypotheses, more than {MAX_HYPOTHESES}: make the '
            'detector send only the best'
        )
    for detection in message.detections:
        check_header('a box', detection.header)
        if len(detection.id) > MAX_ID_LENGTH:
            raise ImageError(
                f'the id of a box is {quoted(detection.id)}: use at most {MAX_ID_LENGTH} '
                'characters'
            )


def boxes_within(detections: Sequence[Any], width: int, height: int) -> list[tuple[Any, Region]]:
    """
    Return the boxes with at least one pixel in an image, clipped to the image.

    Args:
        detections: ``vision_msgs/Detection2D``, in pixels of the whole image.  A rotated box is
            replaced by its upright bounding box.
        width: width of the image, pixels.
        height: height of the image, pixels.

    Returns:
        Pairs of a detection and its clipped box.
    """
    regions = (
        Region.enclosing(*_edges(each.bbox), width=width, height=height) for each in detections
    )
    return [
        (detection, region)
        for detection, region in zip(detections, regions, strict=True)
        if region is not None
    ]


def most_certain(detections: Sequence[Any], most: int) -> list[Any]:
    """
    Return the detections with the highest scores, in their original order.

    Args:
        detections: ``vision_msgs/Detection2D``; a detection without a hypothesis has score 0.
        most: maximum number to return.
    """
    best_first = sorted(range(len(detections)), key=lambda index: -_score(detections[index]))
    return [detections[index] for index in sorted(best_first[:most])]


def _score(detection: Any) -> float:
    scores = [float(each.hypothesis.score) for each in detection.results]
    return max((score for score in scores if not math.isnan(score)), default=0.0)


def _edges(bbox: Any) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a box's upright bounding box; NaN for an invalid box."""
    x, y, theta = bbox.center.position.x, bbox.center.position.y, bbox.center.theta
    if not (bbox.size_x > 0.0 and bbox.size_y > 0.0 and math.isfinite(theta)):
        return math.nan, math.nan, math.nan, math.nan
    across, down = abs(math.cos(theta)), abs(math.sin(theta))
    half_width = (bbox.size_x * across + bbox.size_y * down) / 2
    half_height = (bbox.size_x * down + bbox.size_y * across) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


class DetectionMatcher:
    """
    Matches detection arrays with images of the same stamp, whichever arrives first.

    A detector publishes some time after the camera, and may skip images.  Images and detections
    wait here for each other, in limited number and for a limited time.  Not thread-safe.

    :class:`message_filters.TimeSynchronizer` is not used: it does not report dropped messages, and
    limits the number of waiting messages, but not their size.
    """

    def __init__(self) -> None:
        # The waiting images and detection arrays, by stamp, in order of arrival.
        self._images: dict[int, Frame] = {}
        self._detections: dict[int, tuple[float, Any]] = {}

    def add_image(self, frame: Frame) -> Frame | None:
        """Return an image with its detections; None if the image has to wait for them."""
        stamp = stamp_ns(frame.message.header)
        if stamp in self._detections:
            return replace(frame, detections=self._detections.pop(stamp)[1])
        self._images.pop(stamp, None)
        # Keep a copy without the cached pixels, which may be far larger than the message.
        self._images[stamp] = replace(frame)
        size = sum(len(each.message.data) for each in self._images.values())
        while len(self._images) > MOST_IMAGES or (
            size > MOST_IMAGE_BYTES and len(self._images) > 1
        ):
            oldest = self._images.pop(next(iter(self._images)))
            size -= len(oldest.message.data)
        return None

    def add_detections(self, detections: Any, now: float) -> tuple[Frame | None, list[Any]]:
        """
        Match a detection array with its image; without an image, let the array wait.

        Args:
            detections: a ``vision_msgs/Detection2DArray``.
            now: the current time, seconds of :func:`time.monotonic`.

        Returns:
            The image with these detections, or None; and the waiting arrays that were dropped.
        """
        stamp = stamp_ns(detections.header)
        if stamp in self._images:
            return replace(self._images.pop(stamp), detections=detections), []
        dropped = [self._detections.pop(stamp)] if stamp in self._detections else []
        self._detections[stamp] = now, detections
        if len(self._detections) > MOST_DETECTIONS:
            dropped.append(self._detections.pop(next(iter(self._detections))))
        return None, [each for _, each in dropped]

    def expire(self, now: float, longest_wait_s: float) -> list[Any]:
        """
        Drop the images and detection arrays that have waited too long.

        Args:
            now: the current time, seconds of :func:`time.monotonic`.
            longest_wait_s: maximum wait, seconds.

        Returns:
            The dropped detection arrays.
        """
        since = now - longest_wait_s
        self._images = {
            stamp: frame for stamp, frame in self._images.items() if frame.arrived >= since
        }
        expired = [stamp for stamp, (arrived, _) in self._detections.items() if arrived < since]
        return [self._detections.pop(stamp)[1] for stamp in expired]
