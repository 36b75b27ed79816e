# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageTransport: reads the images of a camera, raw or compressed to JPEG or PNG."""

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
    image_size,
    image_to_rgb,
    RgbArray,
)


@dataclass(frozen=True)
class ImageTransport:
    """
    A message type for images.

    Args:
        topic_suffix: appended to the camera's image topic, as in image_transport
            (https://github.com/ros-perception/image_common).
        check: raises ImageError if a message is inconsistent; reads no pixels.
        to_rgb: converts a message to uint8 ``[H, W, 3]`` RGB; raises ImageError.
        size: returns width and height of a message, None if it must be decoded for that.
    """

    topic_suffix: str
    check: Callable[[Any], None]
    to_rgb: Callable[[Any], RgbArray]
    size: Callable[[Any], tuple[int, int] | None] = lambda _message: None


RAW = ImageTransport('', check_image, image_to_rgb, image_size)
# The size in the header of a JPEG file is that before its rotation.
COMPRESSED = ImageTransport('/compressed', check_compressed_image, compressed_image_to_rgb)

IMAGE_TRANSPORTS = {'raw': RAW, 'compressed': COMPRESSED}
