# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The stored picture of a sample: none, a thumbnail, or the full picture."""

from __future__ import annotations

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import RgbArray
import numpy as np

STORE_IMAGES = ('none', 'thumbnail', 'full')

THUMBNAIL_PIXELS = 320
"""Longest side of a thumbnail, a little larger than the input of usual extractors."""

_QUALITY = 92


def sample_picture(rgb: RgbArray, store_images: str) -> bytes | None:
    """
    Return the JPEG file to store with a sample, None if none is stored.

    Args:
        rgb: the embedded picture, uint8 ``[H, W, 3]``.
        store_images: one of :data:`STORE_IMAGES`.

    Raises:
        ImageError: if the picture is too large for a JPEG file.
    """
    kept = pixels_to_store(rgb, store_images)
    return None if kept is None else jpeg_to_store(kept)


def pixels_to_store(rgb: RgbArray, store_images: str) -> RgbArray | None:
    """
    Return the pixels of a picture to store, None if none are stored.

    Args:
        rgb: the embedded picture, uint8 ``[H, W, 3]``.
        store_images: one of :data:`STORE_IMAGES`.
    """
    if store_images == 'none':
        return None
    return _thumbnail(rgb) if store_images == 'thumbnail' else rgb


def jpeg_to_store(rgb: RgbArray) -> bytes:
    """
    Encode a picture as the JPEG file that is stored with a sample.

    Args:
        rgb: uint8 ``[H, W, 3]``.

    Raises:
        ImageError: if the picture is too large for a JPEG file.
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
