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
"""
From a JPEG or PNG picture, as ``sensor_msgs/CompressedImage`` carries it, to RGB.

A file of a few kilobytes can unpack to gigabytes, so the size that its header declares is read
and bounded before anything is decoded.
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import RgbArray
import numpy as np

# 64 megapixels are 192 MB of RGB; 8K video has 33.
MAX_PIXELS = 64_000_000
# A byte of a PNG file holds 8 pixels of one bit and, deflated, 1032 such bytes at best
# (https://zlib.net/zlib_tech.html); JPEG needs more.  A file whose header claims more pixels lies.
_MOST_PIXELS_A_BYTE = 8 * 1032

_JPEG_START = b'\xff\xd8\xff'
_JPEG_END = b'\xff\xd9'
_PNG_START = b'\x89PNG\r\n\x1a\n'
# Markers of ITU-T T.81, table B.1: SOF0 to SOF15 without DHT, JPG and DAC, which lie between.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_FILL = 0xFF


class CompressedImageMessage(Protocol):
    """The field of ``sensor_msgs/CompressedImage`` that holds the file."""

    data: Any


def check_compressed_image(message: CompressedImageMessage) -> None:
    """
    Refuse a message that holds no whole JPEG or PNG file of bearable size; decodes nothing.

    Raises:
        ImageError: when it is empty, of another kind, cut off or too large.
    """
    check_picture(bytes(message.data))


def compressed_image_to_rgb(message: CompressedImageMessage) -> RgbArray:
    """Return the picture in a ``sensor_msgs/CompressedImage``, see :func:`decode_picture`."""
    return decode_picture(bytes(message.data))


def check_picture(content: bytes) -> None:
    """
    Refuse what is no whole JPEG or PNG file of bearable size; decodes nothing.

    Args:
        content: the file.

    Raises:
        ImageError: when it is empty, of another kind, cut off or too large.
    """
    if content.startswith(_JPEG_START):
        width, height = _jpeg_size(content)
    elif content.startswith(_PNG_START):
        width, height = _png_size(content)
    else:
        begin = content[:4].hex(' ') or 'nothing'
        raise ImageError(
            f'the picture ({len(content)} bytes, beginning with {begin}) is neither JPEG nor PNG: '
            'send one of these'
        )
    if not width or not height:
        raise ImageError(f'the picture is {width} x {height} pixels: a side of 0 is no picture')
    if width * height > MAX_PIXELS:
        raise ImageError(
            f'the picture is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} '
            'megapixels: make it smaller'
        )
    if width * height > _MOST_PIXELS_A_BYTE * len(content):
        raise ImageError(
            f'the picture says that it is {width} x {height} pixels, which its {len(content)} '
            'bytes cannot hold: it is cut off or damaged, so send it again'
        )


def decode_picture(content: bytes) -> RgbArray:
    """
    Return the picture in a JPEG or PNG file, turned upright where its EXIF data says so.

    Args:
        content: the file.

    Returns:
        uint8 ``[H, W, 3]`` RGB.

    Raises:
        ImageError: when it is refused by :func:`check_picture` or damaged.
    """
    check_picture(content)
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError(f'the picture cannot be decoded ({error.err}): send it again') from error
    if picture is None:
        raise ImageError(f'the picture ({len(content)} bytes) is damaged: send it again')
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _png_size(content: bytes) -> tuple[int, int]:
    # The signature is followed by IHDR, which begins with width and height
    # (https://www.w3.org/TR/png-3/#11IHDR).
    if len(content) < 24 or content[12:16] != b'IHDR':
        raise ImageError(f'the PNG file ({len(content)} bytes) is cut off: send it again')
    width, height = struct.unpack_from('>II', content, 16)
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Return width and height of a JPEG file (ITU-T T.81, annex B), which must be whole."""
    position = 2
    while position + 9 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == _FILL:
            position += 1
        elif marker in _WITHOUT_LENGTH:
            position += 2
        elif marker in _START_OF_FRAME:
            height, width = struct.unpack_from('>HH', content, position + 5)
            # A thumbnail in the EXIF data has an end of its own, but before this place.  Old
            # releases of OpenCV fill what is missing with grey and say nothing.
            if content.rfind(_JPEG_END, position) < 0:
                break
            return width, height
        else:
            position += 2 + struct.unpack_from('>H', content, position + 2)[0]
    raise ImageError(f'the JPEG file ({len(content)} bytes) is cut off or damaged: send it again')
