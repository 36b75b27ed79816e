# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Converts image messages to JPEG files in the sizes that pages show."""

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
"""Maximum widths of the JPEG files, pixels; few, so that several pages can share one file."""

# JPEG quality.  At 80, the file of a photograph of 640x480 pixels has about 60 kB.
_QUALITY = 80

# Maximum size of a JPEG file from a camera that is sent without encoding it again, bytes.
_SENT_AS_IT_IS_BYTES = 512 * 1024


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file, and its width and height in pixels."""

    content: bytes
    width: int
    height: int


def width_for(shown: float) -> int:
    """Return the smallest of ``WIDTHS`` that is not below ``shown`` pixels, else the largest."""
    return next((each for each in WIDTHS if each >= shown), WIDTHS[-1])


def encode(message: Any, width: int, *, source: PictureSource, is_compressed: bool) -> Jpeg:
    """
    Return the picture of a message as a JPEG file.

    Args:
        message: a ``sensor_msgs/Image`` or ``CompressedImage``.
        width: maximum width, pixels.
        source: the options for decoding.
        is_compressed: whether ``message`` is a ``CompressedImage``.

    Raises:
        ImageError: if the picture is not supported, or cannot be decoded.
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
