# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Detections: boxes of another node, matched with the images that they are of, and cut out.

Nothing here needs ROS: a detection array is whatever has the fields of
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
"""So many images of a camera wait for their detections: one second at 30 a second."""

MOST_IMAGE_BYTES = 256 * 1024 * 1024
"""So much these images may hold together; the newest waits in any case."""

MOST_DETECTIONS = 32
"""So many detection arrays of a camera wait for their image."""

MAX_BOXES = 10_000
"""In one detection array; detectors give 100 to 300, and all are looked at for the best scores."""

MAX_HYPOTHESES = 100_000
"""In all boxes of a detection array: ten for each of the most boxes; only their scores count."""

MAX_ID_LENGTH = 255
"""Characters in the id of a box, which is sent again with its answer."""


@dataclass(frozen=True, eq=False)
class Box:
    """
    One detection and where it is in the image.

    Args:
        detection: the ``vision_msgs/Detection2D``.
        region: its box, clipped to the image.
    """

    detection: Any
    region: Region


@dataclass(frozen=True, eq=False)
class BoxClassification:
    """
    What a model says of one box.

    Args:
        box: which one.
        scores: float32 ``[C]``.
        embedding: raw ``[D]``.
    """

    box: Box
    scores: FloatArray
    embedding: RawArray


def check_detections(message: Any) -> None:
    """
    Refuse a detection array that would take more time or memory than its answer is worth.

    Args:
        message: a ``vision_msgs/Detection2DArray``.

    Raises:
        ImageError: naming what is too much, and the limit.
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


def boxes_within(detections: Sequence[Any], width: int, height: int) -> list[Box]:
    """
    Return the boxes that have at least a pixel in an image; those partly outside are clipped.

    Args:
        detections: of ``vision_msgs/Detection2D``, in pixels of the whole image.  Of a box that
            is turned the upright rectangle around it is taken.
        width: of the image.
        height: of the image.
    """
    boxes = []
    for detection in detections:
        region = Region.enclosing(*_edges(detection.bbox), width=width, height=height)
        if region is not None:
            boxes.append(Box(detection, region))
    return boxes


def most_certain(detections: Sequence[Any], most: int) -> list[Any]:
    """
    Return the detections of the highest scores, in the order in which they came.

    Args:
        detections: of ``vision_msgs/Detection2D``; one without a hypothesis has the score 0.
        most: how many to return.
    """
    if len(detections) <= most:
        return list(detections)
    best_first = sorted(range(len(detections)), key=lambda index: -_score(detections[index]))
    return [detections[index] for index in sorted(best_first[:most])]


def _score(detection: Any) -> float:
    scores = [float(each.hypothesis.score) for each in detection.results]
    # Not a number is no reason to be preferred.
    return max((score for score in scores if not math.isnan(score)), default=0.0)


def _edges(bbox: Any) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom edge of the upright rectangle around a box."""
    x, y, theta = bbox.center.position.x, bbox.center.position.y, bbox.center.theta
    if not (bbox.size_x > 0.0 and bbox.size_y > 0.0 and math.isfinite(theta)):
        return math.nan, math.nan, math.nan, math.nan
    across, down = abs(math.cos(theta)), abs(math.sin(theta))
    half_width = (bbox.size_x * across + bbox.size_y * down) / 2
    half_height = (bbox.size_x * down + bbox.size_y * across) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


class DetectionMatcher:
    """
    Finds the image of each detection array by its stamp, whichever of the two comes first.

    A detector answers some time after the image came, and only for the images that it took, so
    images wait here: for a bounded time, and a bounded number of them.  Not thread-safe.
    """

    def __init__(self) -> None:
        # By stamp, oldest arrival first: dicts keep the order of insertion.
        self._images: dict[int, Frame] = {}
        self._detections: dict[int, tuple[float, Any]] = {}

    def add_image(self, frame: Frame) -> Frame | None:
        """Take an image; returns it with its detections when these were waiting."""
        stamp = stamp_ns(frame.message.header)
        # Without the pixels that somebody may have converted: a waiting JPEG file is small.
        frame = replace(frame)
        waiting = self._detections.pop(stamp, None)
        if waiting is not None:
            return replace(frame, detections=waiting[1])
        self._images.pop(stamp, None)
        self._images[stamp] = frame
        while len(self._images) > 1 and self._are_too_many():
            del self._images[next(iter(self._images))]
        return None

    def _are_too_many(self) -> bool:
        held = sum(len(each.message.data) for each in self._images.values())
        return len(self._images) > MOST_IMAGES or held > MOST_IMAGE_BYTES

    def add_detections(self, detections: Any, now: float) -> tuple[Frame | None, list[Any]]:
        """
        Take a detection array.

        Args:
            detections: a ``vision_msgs/Detection2DArray``.
            now: seconds of :func:`time.monotonic`.

        Returns:
            The image with these detections, None when it has not come; and arrays that had to
            make way.
        """
        stamp = stamp_ns(detections.header)
        frame = self._images.pop(stamp, None)
        if frame is not None:
            return replace(frame, detections=detections), []
        replaced = self._detections.pop(stamp, None)
        self._detections[stamp] = now, detections
        made_way = [] if replaced is None else [replaced[1]]
        if len(self._detections) > MOST_DETECTIONS:
            made_way.append(self._detections.pop(next(iter(self._detections)))[1])
        return None, made_way

    def expire(self, now: float, longest_wait_s: float) -> list[Any]:
        """
        Forget what waited too long.

        Args:
            now: seconds of :func:`time.monotonic`.
            longest_wait_s: seconds that images and detections wait for each other.

        Returns:
            The detection arrays whose image never came.
        """
        since = now - longest_wait_s
        self._images = {
            stamp: frame for stamp, frame in self._images.items() if frame.arrived >= since
        }
        expired = [
            (stamp, detections)
            for stamp, (arrived, detections) in self._detections.items()
            if arrived < since
        ]
        for stamp, _ in expired:
            del self._detections[stamp]
        return [detections for _, detections in expired]
