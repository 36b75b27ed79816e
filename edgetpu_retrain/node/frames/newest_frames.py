# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Frame, and NewestFrames: the newest frame of each camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from edgetpu_retrain.node.cameras.image_transport import ImageTransport
from edgetpu_retrain.node.cameras.message_header import check_header
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.region import Region


@dataclass(frozen=True)
class Frame:
    """
    An image message of a camera.

    Args:
        camera: name of the camera.
        transport: reads the message.
        message: a ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``.
        arrived: time of arrival, seconds of :func:`time.monotonic`.
        region: the part of the image to classify; None = the whole image.
        detections: a ``vision_msgs/Detection2DArray`` whose boxes are classified instead of the
            region; None without detections.
        source: the options for decoding the camera's pictures.
    """

    camera: str
    transport: ImageTransport
    message: Any
    arrived: float
    region: Region | None = None
    detections: Any = None
    source: PictureSource = field(default_factory=PictureSource, compare=False)

    @property
    def slot(self) -> tuple[str, bool]:
        """The key of the frame's slot in :class:`NewestFrames`."""
        return self.camera, self.detections is not None

    @cached_property
    def picture(self) -> LazyPicture:
        """The image; decoding it can raise ImageError."""
        return self.transport.picture(self.message, self.source)

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of the whole image, pixels; decoding it can raise ImageError."""
        if (size := self.transport.size(self.message)) is not None:
            return size
        height, width = self.picture.whole.shape[:2]
        return width, height

    def check(self) -> None:
        """Raise ImageError if the message is inconsistent or its header is too long to publish."""
        self.check_header()
        self.transport.check(self.message)

    def check_header(self) -> None:
        """Raise ImageError if the header is too long to publish with a classification."""
        check_header('the image', self.message.header)


class NewestFrames:
    """
    Keeps the newest frame of each camera; not thread-safe.

    A camera has one slot for its newest frame without detections, and one for its newest frame
    with detections.  The slots take turns, so that a fast camera cannot block a slow one.
    """

    def __init__(self) -> None:
        # In the order in which slots take their turns: take() moves a slot to the end.
        self._slots: dict[tuple[str, bool], Frame | None] = {}

    def put(self, frame: Frame) -> bool:
        """Store a frame in its slot; return whether it replaced a frame."""
        replaced = self._slots.get(frame.slot) is not None
        self._slots[frame.slot] = frame
        return replaced

    def clear(self) -> None:
        """Discard all frames."""
        self._slots = dict.fromkeys(self._slots)

    def take(self, *, detections: bool = True) -> Frame | None:
        """
        Remove and return the frame of the next slot that has a frame; None if there is none.

        Args:
            detections: whether to include frames with detections.
        """
        for slot, frame in self._slots.items():
            if frame is not None and (detections or frame.detections is None):
                del self._slots[slot]
                self._slots[slot] = None
                return frame
        return None
