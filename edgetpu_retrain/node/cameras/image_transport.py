# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageTransport: how to read a camera's messages, raw or compressed (JPEG, PNG, WEBP)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.pictures.compressed_image import check_compressed_image
from edgetpu_retrain.pictures.image_conversion import check_image, image_size
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource


@dataclass(frozen=True)
class ImageTransport:
    """
    The functions that read one type of image message.

    Args:
        topic_suffix: suffix that is appended to the camera's image topic, as in image_transport
            (https://github.com/ros-perception/image_common).
        check: raises ImageError if a message is inconsistent; reads no pixels.
        picture: returns a message's picture, given the options for decoding; reads no pixels.
        size: returns the width and height, pixels; None if only the decoded image has them.
    """

    topic_suffix: str
    check: Callable[[Any], None]
    picture: Callable[[Any, PictureSource], LazyPicture]
    size: Callable[[Any], tuple[int, int] | None] = lambda _message: None


RAW = ImageTransport('', check_image, LazyPicture.from_image, image_size)
# No ``size``, because the header of a JPEG file has the size before the EXIF rotation.
COMPRESSED = ImageTransport(
    '/compressed', check_compressed_image, LazyPicture.from_compressed_image
)

IMAGE_TRANSPORTS = {'raw': RAW, 'compressed': COMPRESSED}
