# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Region: a rectangle of an image, in pixels, to which the image can be cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.errors import ImageError, RequestError
from edgetpu_retrain.wording import named
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Region:
    """
    A rectangle, as in ``sensor_msgs/RegionOfInterest``.

    Args:
        x: leftmost column, at least 0.
        y: topmost row, at least 0.
        width: number of columns, at least 1.
        height: number of rows, at least 1.

    Raises:
        RequestError: if a value is too small.
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
        """Return the region as text, such as ``640x480+0+0``."""
        return f'{self.width}x{self.height}+{self.x}+{self.y}'

    @classmethod
    def from_message(cls, message: Any) -> Region | None:
        """
        Return the region of a ``sensor_msgs/RegionOfInterest``; None if all its values are zero.

        Raises:
            RequestError: if width or height is zero but not all values are, or do_rectify is set.
        """
        if message.do_rectify:
            raise RequestError(
                'roi.do_rectify is true, but images are taken as they come: rectify them with '
                'image_proc and set it to false'
            )
        return cls.from_values((message.x_offset, message.y_offset, message.width, message.height))

    @classmethod
    def from_values(cls, values: Sequence[int]) -> Region | None:
        """
        Return the region of ``x, y, width, height``; None if all of them are zero.

        Raises:
            RequestError: if there are not four values, or the values are not a valid rectangle.
        """
        if len(values) != 4:
            listed = named([str(value) for value in values])
            raise RequestError(
                f'the region of interest [{listed}] has {len(values)} numbers: give it x, y, '
                'width and height, in pixels'
            )
        return cls(*map(int, values)) if any(values) else None

    @classmethod
    def enclosing(
        cls, left: float, top: float, right: float, bottom: float, *, width: int, height: int
    ) -> Region | None:
        """
        Return the region between four edges, rounded to whole pixels; None if it is empty.

        Args:
            left: left edge, pixels; pixel 0 extends from 0.0 to 1.0.
            top: top edge, pixels.
            right: right edge, pixels.
            bottom: bottom edge, pixels.
            width: width of the image, pixels; the region is clipped to the image.
            height: height of the image, pixels.

        Returns:
            The region; None also if an edge is infinite or NaN.
        """
        if not np.isfinite([left, top, right, bottom]).all():
            return None
        # Rounding compensates for float32 errors in the edges of a detected box.
        x, end_x = (round(min(max(edge, 0.0), width)) for edge in (left, right))
        y, end_y = (round(min(max(edge, 0.0), height)) for edge in (top, bottom))
        if end_x <= x or end_y <= y:
            return None
        return cls(x, y, end_x - x, end_y - y)

    def check_within(self, width: int, height: int) -> None:
        """
        Check that the region is entirely inside an image.

        Args:
            width: width of the image, pixels.
            height: height of the image, pixels.

        Raises:
            ImageError: if the region reaches beyond the image.
        """
        if self.x + self.width > width or self.y + self.height > height:
            raise ImageError(
                f'the region of interest {self} reaches beyond the image of {width}x{height} '
                'pixels: choose one that lies within'
            )

    def reduced(self, factor: int) -> Region:
        """Return the region that covers this one in an image reduced by an integer factor."""
        x, y = self.x // factor, self.y // factor
        end_x, end_y = -(-(self.x + self.width) // factor), -(-(self.y + self.height) // factor)
        return Region(x, y, end_x - x, end_y - y)

    def cut(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """
        Crop an image, without copying it.

        Args:
            pixels: ``[H, W]`` or ``[H, W, C]``, of any type.

        Returns:
            ``[height, width]`` or ``[height, width, C]``, a view.

        Raises:
            ImageError: if the region is not entirely inside the image.
        """
        height, width = pixels.shape[:2]
        self.check_within(width, height)
        rows = slice(self.y, self.y + self.height)
        columns = slice(self.x, self.x + self.width)
        return pixels[rows, columns]
