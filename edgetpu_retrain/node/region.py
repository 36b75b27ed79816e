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
"""Region: a rectangle of an image, in pixels, and the cut along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.errors import ImageError, RequestError
from edgetpu_retrain.node.image_conversion import RgbArray


@dataclass(frozen=True)
class Region:
    """
    A rectangle, as ``sensor_msgs/RegionOfInterest`` has it.

    Args:
        x: leftmost column.
        y: topmost row.
        width: columns, at least 1.
        height: rows, at least 1.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.x < 0 or self.y < 0 or self.width < 1 or self.height < 1:
            raise RequestError(
                f'the region of interest {self} is impossible: give it a width and a height, or '
                'set all of it to 0 for the whole image'
            )

    def __str__(self) -> str:
        """Return it as people write it."""
        return f'{self.width}x{self.height}+{self.x}+{self.y}'

    @classmethod
    def from_message(cls, message: Any) -> Region | None:
        """
        Return the region of a ``sensor_msgs/RegionOfInterest``, None when it is all zero.

        Raises:
            RequestError: when it has no width or no height, or asks for rectification.
        """
        if message.do_rectify:
            raise RequestError(
                'roi.do_rectify is true, but images are taken as they come: rectify them with '
                'image_proc and set it to false'
            )
        fields = message.x_offset, message.y_offset, message.width, message.height
        return cls(*map(int, fields)) if any(fields) else None

    def cut(self, rgb: RgbArray) -> RgbArray:
        """
        Return the part of an image, uint8 ``[height, width, 3]``, without copying it.

        Args:
            rgb: uint8 ``[H, W, 3]``.

        Raises:
            ImageError: when the region is not wholly inside.
        """
        height, width = rgb.shape[:2]
        if self.x + self.width > width or self.y + self.height > height:
            raise ImageError(
                f'the region of interest {self} reaches beyond the image of {width}x{height} '
                'pixels: choose one that lies within'
            )
        return rgb[self.y : self.y + self.height, self.x : self.x + self.width]
