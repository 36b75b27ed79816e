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
"""The newest frame of each camera, given out fairly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.node.image_conversion import RgbArray
from edgetpu_retrain.node.image_transport import ImageTransport


@dataclass(frozen=True)
class Frame:
    """
    One image message of one camera, still as it came.

    Args:
        camera: name of the camera.
        transport: how the message is to be read.
        message: a ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``.
        arrived: when, in seconds of :func:`time.monotonic`.
    """

    camera: str
    transport: ImageTransport
    message: Any
    arrived: float

    def check(self) -> None:
        """Raise ImageError when the message contradicts itself; costs no pixel work."""
        self.transport.check(self.message)

    def to_rgb(self) -> RgbArray:
        """Return uint8 ``[H, W, 3]`` RGB, or raise ImageError."""
        return self.transport.to_rgb(self.message)


class NewestFrames:
    """
    One slot a camera: a newer frame takes the place of one that nobody fetched.

    Fair means that the camera that was served longest ago is the next, however fast the others
    send.  Not thread-safe; its owner locks.

    Args:
        cameras: their names.
    """

    def __init__(self, cameras: Iterable[str]) -> None:
        # In the order in which they are served next: dicts keep the order of insertion.
        self._slots: dict[str, Frame | None] = dict.fromkeys(cameras)

    def put(self, frame: Frame) -> bool:
        """Keep a frame as its camera's newest; True when one that nobody fetched made way."""
        made_way = self._slots[frame.camera] is not None
        self._slots[frame.camera] = frame
        return made_way

    def clear(self) -> None:
        """Forget all frames."""
        self._slots = dict.fromkeys(self._slots)

    def take(self) -> Frame | None:
        """Return a frame of the camera that waited longest, None when there is none."""
        for camera, frame in self._slots.items():
            if frame is not None:
                del self._slots[camera]
                self._slots[camera] = None
                return frame
        return None
