# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Decodes a JPEG or PNG picture, such as in ``sensor_msgs/CompressedImage``, to RGB.

A file of a few kilobytes can unpack to gigabytes.  So the size in its header is checked before
anything is decoded, and other parts that could keep the decoder busy are limited or removed.
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import check_size, convert_colours, RgbArray
from edgetpu_retrain.pictures.png_file import png_size, PNG_START, without_extras
from edgetpu_retrain.pictures.region import Region
import numpy as np

MAX_BYTES = 64 * 1024 * 1024
"""Maximum size of a file in a message; a JPEG photograph of 64 megapixels takes half of it."""

SMALL_PIXELS = 4_000_000
"""Pictures up to this size may have any compression ratio, since decoding takes at most 24 MB."""

MAX_PIXELS_A_BYTE = 2048
"""
Limit for pictures of more pixels.  A picture of a single colour has 170 to 341 pixels per byte in
JPEG, and 344 (RGB) or 1032 (grey) in PNG, whose deflate compresses up to 1032 bytes into one.
"""

MOST_PIXELS_A_BYTE = 8 * 1032
"""
Limit for all pictures: in PNG, a byte has at most 8 one-bit pixels, and deflate compresses at most
1032 bytes into one (https://zlib.net/zlib_tech.html); JPEG compresses less.  A header that
declares more is wrong.
"""

MAX_SCANS = 32
"""Maximum for a JPEG; encoders write up to 18.  Even a short scan may process all pixels."""

MAX_MARKERS = 4096
"""
Maximum number of markers and fill bytes before the size in a JPEG; usual files have a few hundred.
"""

_JPEG_START = b'\xff\xd8\xff'
_JPEG_END = b'\xff\xd9'
# Markers of ITU-T T.81, table B.1: SOF0 to SOF15, except DHT, JPG and DAC in between.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_FILL = 0xFF
_START_OF_SCAN = b'\xff\xda'

_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


class CompressedImageMessage(Protocol):
    """The field of ``sensor_msgs/CompressedImage`` that contains the file."""

    data: Any


def check_compressed_image(message: CompressedImageMessage) -> None:
    """
    Raise unless a message contains a complete JPEG or PNG file within the limits.

    The file is not decoded.

    Raises:
        ImageError: if the file is empty, of another format, truncated or too large.
    """
    check_picture(content_of(message))


def content_of(message: CompressedImageMessage) -> bytes:
    """Return the file in a ``sensor_msgs/CompressedImage``; ImageError if it is too large."""
    if len(message.data) > MAX_BYTES:
        raise ImageError(
            f'the picture has {len(message.data)} bytes, more than {MAX_BYTES}: send a smaller one'
        )
    return bytes(message.data)


def check_picture(content: bytes) -> tuple[bytes, int, int]:
    """
    Raise unless this is a complete JPEG or PNG file within the limits.

    The file is not decoded.

    Args:
        content: bytes of the file.

    Returns:
        The part of the file that the decoder needs; width and height, before rotation.

    Raises:
        ImageError: if the file is empty, of another format, truncated or too large.
    """
    is_png = content.startswith(PNG_START)
    if is_png:
        width, height = png_size(content)
    elif content.startswith(_JPEG_START):
        width, height = _jpeg_size(content)
    else:
        begin = content[:4].hex(' ') or 'nothing'
        raise ImageError(
            f'the picture ({len(content)} bytes, beginning with {begin}) is neither JPEG nor PNG: '
            'send one of these'
        )
    # Check the size first, because removing chunks takes longer.
    check_size('the picture', width, height)
    shown = without_extras(content) if is_png else content
    if width * height > MOST_PIXELS_A_BYTE * len(content):
        raise ImageError(
            f'the picture says that it is {width} x {height} pixels, which its {len(content)} '
            'bytes cannot hold: it is cut off or damaged, so send it again'
        )
    if width * height > max(SMALL_PIXELS, len(shown) * MAX_PIXELS_A_BYTE):
        raise ImageError(
            f'the picture has {width} x {height} pixels in {len(shown)} bytes: more than '
            f'{MAX_PIXELS_A_BYTE} a byte is no photograph'
        )
    return shown, width, height


def decode_picture(content: bytes) -> RgbArray:
    """
    Return the picture in a JPEG or PNG file, rotated according to its EXIF data.

    Args:
        content: bytes of the file.

    Returns:
        uint8 ``[H, W, 3]`` RGB.

    Raises:
        ImageError: if :func:`check_picture` rejects it, or it is damaged.
    """
    shown, _, _ = check_picture(content)
    return _decode(shown)


def reduction(width: int, height: int, side: int) -> int:
    """
    Return the factor by which a part of a JPEG file is decoded smaller: 8, 4, 2 or 1.

    libjpeg decodes at these fractions of the size in less time.

    Args:
        width: width of the part, pixels.
        height: height of the part, pixels.
        side: minimum width and height of the decoded part, pixels: the longer side of a model's
            input.

    >>> [reduction(*size, side=224) for size in ((400, 300), (640, 480), (1920, 1080))]
    [1, 2, 4]
    """
    return next((factor for factor in (8, 4, 2) if min(width, height) >= factor * side), 1)


def decode_reduced(content: bytes, region: Region | None, side: int) -> RgbArray | None:
    """
    Return a part of the picture in a JPEG file, decoded at a fraction of its size.

    Args:
        content: bytes of the file.
        region: in pixels of the whole picture, rotated according to its EXIF data; None = all.
        side: see :func:`reduction`.

    Returns:
        uint8 ``[H, W, 3]`` RGB, reduced by :func:`reduction`; None if the file is not a JPEG, or
        the part is too small to be reduced.

    Raises:
        ImageError: if :func:`check_picture` rejects the file, it is damaged, or the region reaches
            beyond the picture.
    """
    if not content.startswith(_JPEG_START):
        # OpenCV decodes a PNG in full first, so that nothing is gained.
        return None
    shown, width, height = check_picture(content)
    part = (width, height) if region is None else (region.width, region.height)
    factor = reduction(*part, side)
    upright = _divided(height, factor), _divided(width, factor)
    # A region needs the size of the picture, and only the decoded one shows if it was rotated.
    if factor == 1 or (region is not None and width != height and upright[0] == upright[1]):
        return None
    pixels = _decode(shown, factor)
    if region is None:
        return pixels
    if pixels.shape[:2] != upright:
        width, height = height, width
    region.check_within(width, height)
    return region.reduced(factor).cut(pixels)


def _decode(shown: bytes, factor: int = 1) -> RgbArray:
    try:
        picture = cv2.imdecode(np.frombuffer(shown, np.uint8), _FLAGS[factor])
    except cv2.error as error:
        raise ImageError(f'the picture cannot be decoded ({error.err}): send it again') from error
    if picture is None:
        raise ImageError(f'the picture ({len(shown)} bytes) is damaged: send it again')
    return convert_colours(picture, cv2.COLOR_BGR2RGB)


def _divided(length: int, factor: int) -> int:
    """Return a side of a reduced JPEG file."""
    return -(-length // factor)


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Return width and height of a complete JPEG file (ITU-T T.81, annex B)."""
    position = 2
    for _ in range(MAX_MARKERS):
        if position + 9 > len(content) or content[position] != _FILL:
            break
        marker = content[position + 1]
        if marker == _FILL:
            position += 1
        elif marker in _WITHOUT_LENGTH:
            position += 2
        elif marker in _START_OF_FRAME:
            height, width = struct.unpack_from('>HH', content, position + 5)
            # Require the end marker: old releases of OpenCV silently fill the missing part of a
            # truncated file with grey.  A thumbnail in the EXIF data ends before this position.
            if content.rfind(_JPEG_END, position) < 0:
                break
            scans = content.count(_START_OF_SCAN, position)
            if scans > MAX_SCANS:
                raise ImageError(
                    f'the JPEG file has {scans} scans, more than {MAX_SCANS}: save it again'
                )
            return width, height
        else:
            position += 2 + struct.unpack_from('>H', content, position + 2)[0]
    raise ImageError(f'the JPEG file ({len(content)} bytes) is cut off or damaged: send it again')
