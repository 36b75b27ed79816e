# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The stored picture of a sample: none, a thumbnail, or the full picture."""

from __future__ import annotations

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.compressed_image import check_memory
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region
import numpy as np
import numpy.typing as npt

STORE_IMAGES = ('none', 'thumbnail', 'full')

THUMBNAIL_PIXELS = 320
"""Maximum width and height of a thumbnail, pixels; most extractors have a smaller input."""

# JPEG quality, 0 to 100.
_QUALITY = 92


def sample_picture(picture: LazyPicture, seen: RgbArray, store_images: str) -> bytes | None:
    """
    Return the JPEG file to store with a sample; None if ``store_images`` is 'none'.

    Args:
        picture: the picture from which the embedding was computed.
        seen: the picture as :meth:`LazyPicture.for_model` returned it for the extractor, RGB,
            uint8 ``[H, W, 3]``.
        store_images: one of :data:`STORE_IMAGES`.

    Raises:
        ImageError: if the picture cannot be decoded, or is too large for a JPEG file.
    """
    return jpeg_to_store(pixels_to_store(picture, None, seen, store_images))


def pixels_to_store(
    picture: LazyPicture, region: Region | None, seen: RgbArray, store_images: str
) -> RgbArray | None:
    """
    Return the pixels to store with a sample; None if ``store_images`` is 'none'.

    Args:
        picture: the picture.
        region: the part from which the embedding was computed; None = the whole picture.
        seen: this part as :meth:`LazyPicture.for_model` returned it for the extractor, RGB, uint8
            ``[H, W, 3]``.
        store_images: one of :data:`STORE_IMAGES`.

    Returns:
        RGB, uint8 ``[H, W, 3]``: the part, or its thumbnail.

    Raises:
        ImageError: if the picture cannot be decoded, or the region reaches beyond it.
    """
    if store_images == 'none':
        return None
    if store_images == 'thumbnail' and max(seen.shape[:2]) >= THUMBNAIL_PIXELS:
        return reduced(seen, THUMBNAIL_PIXELS)
    pixels = picture.part(region)
    return pixels if store_images == 'full' else reduced(pixels, THUMBNAIL_PIXELS)


def reduced(rgb: RgbArray, longest_side: int) -> RgbArray:
    """
    Return a picture, scaled down if its longer side exceeds a limit.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        longest_side: maximum length of the longer side, pixels.
    """
    height, width = rgb.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1.0:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    smaller: RgbArray = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    return smaller


def jpeg_to_store(pixels: RgbArray | None) -> bytes | None:
    """
    Encode a picture as the JPEG file that is stored with a sample.

    Args:
        pixels: RGB, uint8 ``[H, W, 3]``; None = no picture is stored, so None is returned.

    Raises:
        ImageError: if the picture is too large for a JPEG file.
    """
    if pixels is None:
        return None
    return encode_jpeg(np.ascontiguousarray(pixels[..., ::-1]), _QUALITY)


def encode_jpeg(bgr: npt.NDArray[np.uint8], quality: int) -> bytes:
    """
    Encode a picture as a JPEG file.

    Args:
        bgr: uint8 ``[H, W, 3]`` in the order blue, green, red.
        quality: JPEG quality, 0 to 100.

    Raises:
        ImageError: if the picture is too large for a JPEG file.
        MemoryError: if there is too little memory.
    """
    try:
        written, content = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        check_memory(error)
        written = False
    if not written:
        height, width = bgr.shape[:2]
        raise ImageError(
            f'a picture of {width} x {height} pixels cannot be stored as JPEG: set store_images '
            'to thumbnail or none'
        )
    return bytes(content.tobytes())
