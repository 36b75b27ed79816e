# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The ways in which a camera's images travel: raw, or compressed to JPEG or PNG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.pictures.compressed_image import (
    check_compressed_image,
    compressed_image_to_rgb,
)
from edgetpu_retrain.pictures.image_conversion import (
    check_image,
    image_part_to_rgb,
    image_size,
    image_to_rgb,
    RgbArray,
)
from edgetpu_retrain.pictures.region import Region


@dataclass(frozen=True)
class ImageTransport:
    """
    How images travel and how they are read.

    Args:
        topic_suffix: what is added to the camera's image topic, as image_transport does
            (https://github.com/ros-perception/image_common).
        check: raises ImageError when a message contradicts itself, without pixel work.
        to_rgb: from a message to uint8 ``[H, W, 3]`` RGB, or ImageError.
        part_to_rgb: from a message and a region to the RGB of that alone, or ImageError; None
            where only the whole can be had.
        size: from a message to width and height, None where only decoding tells.
    """

    topic_suffix: str
    check: Callable[[Any], None]
    to_rgb: Callable[[Any], RgbArray]
    part_to_rgb: Callable[[Any, Region], RgbArray | None]
    size: Callable[[Any], tuple[int, int] | None]


RAW = ImageTransport('', check_image, image_to_rgb, image_part_to_rgb, image_size)
COMPRESSED = ImageTransport(
    '/compressed',
    check_compressed_image,
    compressed_image_to_rgb,
    lambda _message, _region: None,
    # The size in a JPEG file's header is the one before it is turned upright.
    lambda _message: None,
)

IMAGE_TRANSPORTS = {'raw': RAW, 'compressed': COMPRESSED}
