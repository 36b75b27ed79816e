# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageTransport: how to read a camera's messages, raw or compressed as JPEG or PNG."""

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
    The functions that read one type of image message.

    Args:
        topic_suffix: is appended to the camera's image topic, as in image_transport
            (https://github.com/ros-perception/image_common).
        check: raises ImageError if a message is inconsistent; reads no pixels.
        to_rgb: converts a message to uint8 ``[H, W, 3]`` RGB; raises ImageError.
        size: returns the width and height, pixels; None if the message must be decoded for that.
    """

    topic_suffix: str
    check: Callable[[Any], None]
    to_rgb: Callable[[Any], RgbArray]
    size: Callable[[Any], tuple[int, int] | None] = lambda _message: None


RAW = ImageTransport('', check_image, image_to_rgb, image_size)
# Without ``size``, because the header of a JPEG file has the size before rotation.
COMPRESSED = ImageTransport('/compressed', check_compressed_image, compressed_image_to_rgb)

IMAGE_TRANSPORTS = {'raw': RAW, 'compressed': COMPRESSED}
