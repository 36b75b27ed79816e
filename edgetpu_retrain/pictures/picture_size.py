# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits for the size of a picture, checked before any pixel is read."""

from __future__ import annotations

from edgetpu_retrain.errors import ImageError

MAX_PIXELS = 64_000_000
"""64 megapixels are 192 MB of RGB; 8K video has 33."""

MAX_SIDE = 32_767
"""In pixels; OpenCV uses 16-bit coordinates for resizing and rotating (SHRT_MAX)."""


def check_size(what: str, width: int, height: int) -> None:
    """
    Raise if a picture is empty or exceeds the limits.

    Args:
        what: name of the picture in the message.
        width: in pixels.
        height: in pixels.

    Raises:
        ImageError: if it does; the message has the size and the limit.
    """
    if not width or not height:
        raise ImageError(f'{what} is {width} x {height} pixels: a side of 0 is no picture')
    if width * height > MAX_PIXELS:
        raise ImageError(
            f'{what} is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} '
            'megapixels: make it smaller'
        )
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f'{what} is {width} x {height} pixels, and a side is longer than {MAX_SIDE}: make it '
            'smaller'
        )
