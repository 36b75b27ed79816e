# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes the picture of a sample small enough for a pack."""

from __future__ import annotations

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.fleet.evidence.pack import MAX_PICTURE_BYTES
from edgetpu_retrain.pictures.compressed_image import check_picture, decode_picture
from edgetpu_retrain.pictures.sample_picture import jpeg_to_store, reduced, THUMBNAIL_PIXELS

MAX_THUMBNAIL_SIDE = 1024
"""
Maximum width and height of a thumbnail, pixels.

The teaching page shows thumbnails from other robots, and a very large image could exhaust the
memory of the browser.
"""

# A JPEG file begins with the marker SOI and ends with EOI: ITU-T T.81, annex B.  Robots reject a
# pack with any other file.
_JPEG_BEGIN, _JPEG_END = b'\xff\xd8\xff', b'\xff\xd9'


def thumbnail(jpeg: bytes) -> bytes | None:
    """
    Return the picture of a sample for a pack: unchanged if it is small enough.

    Args:
        jpeg: the stored JPEG file, which may be a full picture.

    Returns:
        A JPEG file for which :func:`is_thumbnail` returns True; None if the stored one is damaged,
        or too large even as a thumbnail.
    """
    if is_thumbnail(jpeg):
        return jpeg
    try:
        smaller = jpeg_to_store(reduced(decode_picture(jpeg), THUMBNAIL_PIXELS))
    except ImageError:
        return None
    return smaller if smaller is not None and is_thumbnail(smaller) else None


def is_thumbnail(jpeg: bytes) -> bool:
    """Return whether a file, which may come from another robot, is a JPEG file of allowed size."""
    if not (jpeg.startswith(_JPEG_BEGIN) and jpeg.endswith(_JPEG_END)):
        return False
    try:
        file = check_picture(jpeg)
    except ImageError:
        return False
    is_small = max(file.width, file.height) <= MAX_THUMBNAIL_SIDE
    return is_small and len(jpeg) <= MAX_PICTURE_BYTES
