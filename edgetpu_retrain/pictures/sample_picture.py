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
"""What is kept of a sample's picture: nothing, a thumbnail, or all of it."""

from __future__ import annotations

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import RgbArray
import numpy as np

STORE_IMAGES = ('none', 'thumbnail', 'full')

THUMBNAIL_PIXELS = 320
"""Longest side of a thumbnail: a little more than the input of the usual extractors."""

_QUALITY = 92


def sample_picture(rgb: RgbArray, store_images: str) -> bytes | None:
    """
    Return the JPEG file to be stored with a sample, None when none is.

    Args:
        rgb: what was embedded, uint8 ``[H, W, 3]``.
        store_images: one of :data:`STORE_IMAGES`.

    Raises:
        ImageError: when the picture is too large for a JPEG file.
    """
    kept = pixels_to_store(rgb, store_images)
    return None if kept is None else jpeg_to_store(kept)


def pixels_to_store(rgb: RgbArray, store_images: str) -> RgbArray | None:
    """
    Return those pixels of a picture that are stored, None when none are.

    Args:
        rgb: what was embedded, uint8 ``[H, W, 3]``.
        store_images: one of :data:`STORE_IMAGES`.
    """
    if store_images == 'none':
        return None
    return _thumbnail(rgb) if store_images == 'thumbnail' else rgb


def jpeg_to_store(rgb: RgbArray) -> bytes:
    """
    Return a picture as the JPEG file that is stored with a sample.

    Args:
        rgb: uint8 ``[H, W, 3]``.

    Raises:
        ImageError: when the picture is too large for a JPEG file.
    """
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    try:
        written, content = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    except cv2.error:
        written = False
    if not written:
        height, width = rgb.shape[:2]
        raise ImageError(
            f'a picture of {width} x {height} pixels cannot be stored as JPEG: set store_images '
            'to thumbnail or none'
        )
    return bytes(content.tobytes())


def _thumbnail(rgb: RgbArray) -> RgbArray:
    height, width = rgb.shape[:2]
    scale = THUMBNAIL_PIXELS / max(height, width)
    if scale >= 1.0:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    smaller: RgbArray = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    return smaller
