# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Converts image messages to JPEG files of the size that a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
from edgetpu_retrain.pictures.compressed_image import check_picture, content_of
from edgetpu_retrain.pictures.image_conversion import check_image, image_to_rgb
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.sample_picture import encode_jpeg, reduced

WIDTHS = (160, 320, 480, 640, 960, 1280, 1920)
"""Widths of the pictures, pixels: few, so that pages share them."""

# With 80, a photograph of 640x480 has about 60 kB.
_QUALITY = 80

# Maximum size of a camera's JPEG file to be sent as it is.
_SENT_AS_IT_IS_BYTES = 512 * 1024


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file, and its width and height, pixels."""

    content: bytes
    width: int
    height: int


def width_for(shown: float) -> int:
    """Return the smallest of ``WIDTHS`` not below a page's width in pixels, or the largest."""
    return next((each for each in WIDTHS if each >= shown), WIDTHS[-1])


def encode(message: Any, width: int, *, source: PictureSource, is_compressed: bool) -> Jpeg:
    """
    Return the picture of a message as a JPEG file.

    Args:
        message: a ``sensor_msgs/Image`` or ``CompressedImage``.
        width: maximum width, pixels.
        source: the options for decoding.
        is_compressed: whether it is a ``CompressedImage``.

    Raises:
        ImageError: if the picture cannot be decoded.
    """
    if not is_compressed:
        check_image(message)
        rgb = image_to_rgb(message, source)
    else:
        content = content_of(message)
        file = check_picture(content)
        is_small = file.width <= width and len(content) <= _SENT_AS_IT_IS_BYTES
        if file.kind == 'JPEG' and is_small:
            return Jpeg(content, file.width, file.height)
        needed = min(width, width * file.height // file.width)
        rgb = LazyPicture.from_compressed_image(message, source).for_model(max(1, needed))
    height, whole_width = rgb.shape[:2]
    small = reduced(rgb, width * max(height, whole_width) // whole_width)
    content = encode_jpeg(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), _QUALITY)
    return Jpeg(content, small.shape[1], small.shape[0])
