# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The newest frame of each camera, given out fairly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edgetpu_retrain.node.cameras.image_transport import ImageTransport
from edgetpu_retrain.node.cameras.message_header import check_header
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.pictures.region import Region


@dataclass(frozen=True)
class Frame:
    """
    One image message of one camera, still as it came.

    Args:
        camera: name of the camera.
        transport: how the message is to be read.
        message: a ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``.
        arrived: when, in seconds of :func:`time.monotonic`.
        region: the part of the image that the camera is used for, None = all of it.
        detections: the ``vision_msgs/Detection2DArray`` whose boxes are to be classified; None
            when the image itself is.
    """

    camera: str
    transport: ImageTransport
    message: Any
    arrived: float
    region: Region | None = None
    detections: Any = None

    @property
    def slot(self) -> tuple[str, bool]:
        """What a newer frame has in common with the one whose place it takes."""
        return self.camera, self.detections is not None

    @cached_property
    def whole(self) -> RgbArray:
        """The whole image, uint8 ``[H, W, 3]`` RGB; reading it may raise ImageError."""
        return self.transport.to_rgb(self.message)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole image; reading it may raise ImageError."""
        if (size := self.transport.size(self.message)) is not None:
            return size
        height, width = self.whole.shape[:2]
        return width, height

    def check(self) -> None:
        """Raise ImageError when the message contradicts itself; costs no pixel work."""
        self.check_header()
        self.transport.check(self.message)

    def check_header(self) -> None:
        """Raise ImageError when the message has a header that no answer should carry."""
        check_header('the image', self.message.header)

    def to_rgb(self) -> RgbArray:
        """Return what the camera is used for, uint8 ``[H, W, 3]`` RGB, or raise ImageError."""
        return self.part_to_rgb(self.region) if self.region else self.whole

    def part_to_rgb(self, region: Region) -> RgbArray:
        """
        Return a part of the image, converting no more of it than that.

        Args:
            region: counted from the corner of the whole image.

        Returns:
            uint8 ``[height, width, 3]`` RGB.

        Raises:
            ImageError: when the message holds no image, or the region reaches beyond it.
        """
        # What was converted already is only cut.
        if 'whole' not in self.__dict__:
            part = self.transport.part_to_rgb(self.message, region)
            if part is not None:
                return part
        return region.cut(self.whole)


class NewestFrames:
    """
    Two slots a camera, one of them for frames with detections: a newer one takes the place.

    Fair means that the slot that was served longest ago is the next, however fast the others
    fill.  Not thread-safe; its owner locks.

    Args:
        cameras: their names.
    """

    def __init__(self, cameras: Iterable[str]) -> None:
        # In the order in which they are served next: dicts keep the order of insertion.
        self._slots: dict[tuple[str, bool], Frame | None] = {
            (camera, has_detections): None
            for camera in cameras
            for has_detections in (False, True)
        }

    def put(self, frame: Frame) -> bool:
        """Keep a frame as its slot's newest; True when one that nobody fetched made way."""
        made_way = self._slots[frame.slot] is not None
        self._slots[frame.slot] = frame
        return made_way

    def clear(self) -> None:
        """Forget all frames."""
        self._slots = dict.fromkeys(self._slots)

    def take(self, *, detections: bool = True) -> Frame | None:
        """
        Return the frame of the slot that waited longest, None when there is none.

        Args:
            detections: whether it may be one with detections.
        """
        for slot, frame in self._slots.items():
            if frame is not None and (detections or frame.detections is None):
                del self._slots[slot]
                self._slots[slot] = None
                return frame
        return None
