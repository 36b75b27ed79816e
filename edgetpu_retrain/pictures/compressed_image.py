# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Decodes JPEG, PNG and WEBP files, such as those in ``sensor_msgs/CompressedImage``, to RGB.

A file of a few kilobytes can unpack to gigabytes.  So the size in its header is checked before the
file is decoded, and other parts that could keep the decoder busy are limited or removed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.files.jpeg_file import (
    decode_jpeg,
    JPEG_START,
    JpegFile,
    read_jpeg,
)
from edgetpu_retrain.pictures.files.orientation import UPRIGHT, upright
from edgetpu_retrain.pictures.files.png_file import png_size, PNG_START, read_png
from edgetpu_retrain.pictures.files.webp_decoder import decode_webp
from edgetpu_retrain.pictures.files.webp_file import is_webp, read_webp
from edgetpu_retrain.pictures.image_conversion import check_size
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.pixels import convert_colours, RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.unsupported import unsupported_file, unsupported_format
import numpy as np
import numpy.typing as npt

MAX_BYTES = 64 * 1024 * 1024
"""
Maximum size of a file in a message, bytes; a JPEG file of 64 megapixels is usually less than half
as large.
"""

SMALL_PIXELS = 4_000_000
"""
Maximum number of pixels of a picture to which :data:`MAX_PIXELS_A_BYTE` does not apply.  Decoding
such a picture takes up to 24 MB of memory, or three times as much with 16 bits, alpha or a JPEG
file without an end marker.
"""

MAX_PIXELS_A_BYTE = 2048
"""
Maximum number of pixels per byte of a picture with more than :data:`SMALL_PIXELS`.  A picture of a
single colour, with 8 bits per value, has up to about 500 in JPEG and 1032 in PNG, whose deflate
compresses at most 1032 bytes into one.
"""

MOST_PIXELS_A_BYTE = 8 * 1032
"""
Maximum number of pixels per byte that the formats JPEG and PNG allow.  In PNG, a byte has at most
8 one-bit pixels, and deflate compresses at most 1032 bytes into one
(https://zlib.net/zlib_tech.html); JPEG compresses less.  A header that declares more is wrong.
"""

BEGIN_BYTES = 12
"""The number of bytes that :func:`begins_as_picture` needs."""

# OpenCV's flags for decoding, by the factor that width and height are divided by.
_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


_Decode = Callable[[bytes], 'npt.NDArray[Any] | None']

CompressedImageMessage: TypeAlias = Any
"""A ``sensor_msgs/CompressedImage``, or any object with its fields ``format`` and ``data``."""


@dataclass(frozen=True)
class PictureFile:
    """
    The properties of a picture file, read without decoding it.

    Args:
        shown: the part of the file that the decoder needs.
        width: width before rotation, pixels.
        height: height before rotation, pixels.
        kind: 'JPEG', 'PNG' or 'WEBP'.
        orientation: EXIF orientation of a PNG or WEBP file, 1 to 8; always 1 for a JPEG file,
            which OpenCV rotates.
        transparent_grey: see :class:`~edgetpu_retrain.pictures.files.png_file.PngFile`; None for
            JPEG and WEBP files.
        jpeg: further properties of a JPEG file; None for other files.
    """

    shown: bytes
    width: int
    height: int
    kind: str
    orientation: int = UPRIGHT
    transparent_grey: int | None = None
    jpeg: JpegFile | None = None


def check_compressed_image(message: CompressedImageMessage) -> None:
    """
    Check that a message contains a complete JPEG, PNG or WEBP file within the limits.

    Only a JPEG file without an end marker is decoded for the check, so damaged pixels may go
    unnoticed.

    Raises:
        ImageError: if the file is empty, truncated, damaged or of an unsupported format, or
            exceeds a limit.
    """
    check_picture(content_of(message))


def content_of(message: CompressedImageMessage) -> bytes:
    """
    Return the file in a ``sensor_msgs/CompressedImage``.

    Raises:
        ImageError: if the file is too large, or the format is one of depth or video.
    """
    if reason := unsupported_format(message.format):
        raise ImageError(reason)
    if len(message.data) > MAX_BYTES:
        raise ImageError(
            f'the picture has {len(message.data)} bytes, more than {MAX_BYTES}: send a smaller one'
        )
    return bytes(message.data)


def begins_as_picture(begin: bytes) -> bool:
    """Return whether the first bytes of a file are those of a JPEG, PNG or WEBP file."""
    return begin.startswith((PNG_START, JPEG_START)) or is_webp(begin)


def check_picture(content: bytes) -> PictureFile:
    """
    Check that a picture file is complete and within the limits, and return its properties.

    Only a JPEG file without an end marker is decoded for the check, so damaged pixels may go
    unnoticed.

    Args:
        content: bytes of the file.

    Raises:
        ImageError: if the file is empty, truncated, damaged or of an unsupported format, or
            exceeds a limit.
    """
    file = _read_header(content)
    if file.jpeg is not None and file.jpeg.end < 0:
        _decode_jpeg(file, file.jpeg, max(_FLAGS))
    return file


def _read_header(content: bytes) -> PictureFile:
    """Check a file as :func:`check_picture` does, but never decode it; return its properties."""
    # Check the size of a PNG file before its chunks, because this is faster.
    if content.startswith(PNG_START):
        width, height = png_size(content)
        _check_size(content, width, height)
        png = read_png(content)
        file = PictureFile(
            png.shown,
            width,
            height,
            'PNG',
            png.orientation,
            png.transparent_grey,
        )
    elif content.startswith(JPEG_START):
        jpeg = read_jpeg(content)
        _check_size(content, jpeg.width, jpeg.height)
        file = PictureFile(content, jpeg.width, jpeg.height, 'JPEG', jpeg=jpeg)
    elif is_webp(content):
        webp = read_webp(content)
        check_size('the picture', webp.width, webp.height)
        file = PictureFile(webp.shown, webp.width, webp.height, 'WEBP', webp.orientation)
    else:
        raise ImageError(unsupported_file(content))
    if file.width * file.height > max(SMALL_PIXELS, len(file.shown) * MAX_PIXELS_A_BYTE):
        raise ImageError(
            f'the picture has {file.width} x {file.height} pixels in {len(file.shown)} bytes: '
            f'more than {MAX_PIXELS_A_BYTE} a byte is no photograph'
        )
    return file


def decode_picture(content: bytes, source: PictureSource | None = None) -> RgbArray:
    """
    Return the picture in a JPEG, PNG or WEBP file, rotated according to its EXIF data.

    Args:
        content: bytes of the file.
        source: the options for decoding; None uses the defaults.

    Returns:
        uint8 ``[H, W, 3]`` RGB.

    Raises:
        ImageError: if :func:`check_picture` rejects the file, or the file cannot be decoded.
    """
    file = _read_header(content)
    if file.jpeg is not None:
        return _decode_jpeg(file, file.jpeg)
    source = source or PictureSource()
    # IMREAD_UNCHANGED preserves alpha and 16-bit values, and does not rotate the picture.
    decode = decode_webp if file.kind == 'WEBP' else _by_opencv(cv2.IMREAD_UNCHANGED)
    pixels = upright(_decoded(decode, file.shown), file.orientation)
    if file.transparent_grey is not None and pixels.ndim == 2:
        pixels = _with_alpha(pixels, file.transparent_grey)
    has_alpha = pixels.ndim == 3 and pixels.shape[2] == 4
    if pixels.dtype == np.uint16:
        pixels = source.to_8_bits(pixels, 3 if has_alpha else None)
    if pixels.ndim == 2:
        return convert_colours(pixels, cv2.COLOR_GRAY2RGB)
    if has_alpha:
        return convert_colours(source.opaque(pixels), cv2.COLOR_BGRA2RGB)
    return convert_colours(pixels, cv2.COLOR_BGR2RGB)


def reduction(width: int, height: int, side: int) -> int:
    """
    Return the factor by which a JPEG file is reduced while it is decoded: 8, 4, 2 or 1.

    libjpeg decodes a smaller picture in less time.

    Args:
        width: width of the required part of the picture, pixels.
        height: height of the required part, pixels.
        side: minimum width and height of the part after the reduction, pixels, such as the longer
            side of a model's input.

    >>> [reduction(*size, side=224) for size in ((400, 300), (640, 480), (1920, 1080))]
    [1, 2, 4]
    """
    return next((factor for factor in (8, 4, 2) if min(width, height) >= factor * side), 1)


def decode_reduced(content: bytes, region: Region | None, side: int) -> RgbArray | None:
    """
    Return a part of the picture in a JPEG file, decoded at a reduced size.

    Args:
        content: bytes of the file.
        region: the part, in pixels of the full-size picture after its rotation according to EXIF;
            None = the whole picture.
        side: see :func:`reduction`.

    Returns:
        uint8 ``[H, W, 3]`` RGB, reduced by the factor of :func:`reduction`; None if the file is
        not a JPEG file, or must be decoded in full size.

    Raises:
        ImageError: if the JPEG file is damaged or exceeds a limit, or the region reaches beyond
            the picture.
    """
    if not content.startswith(JPEG_START):
        # OpenCV decodes other files in full size and then reduces them, which saves no time.
        return None
    file = _read_header(content)
    assert file.jpeg is not None
    width, height = file.width, file.height
    part = (width, height) if region is None else (region.width, region.height)
    factor = reduction(*part, side)
    upright_size = _divided(height, factor), _divided(width, factor)
    # To check the region, it must be known whether OpenCV swaps width and height when it rotates
    # the picture.  The size of the decoded picture shows this, unless its two sides are equal.
    if factor == 1 or (
        region is not None and width != height and upright_size[0] == upright_size[1]
    ):
        return None
    pixels = _decode_jpeg(file, file.jpeg, factor)
    if region is None:
        return pixels
    if pixels.shape[:2] != upright_size:
        width, height = height, width
    region.check_within(width, height)
    return region.reduced(factor).cut(pixels)


def _check_size(content: bytes, width: int, height: int) -> None:
    check_size('the picture', width, height)
    if width * height > MOST_PIXELS_A_BYTE * len(content):
        raise ImageError(
            f'the picture says that it is {width} x {height} pixels, which its {len(content)} '
            'bytes cannot hold: it is cut off or damaged, so send it again'
        )


def _decode_jpeg(file: PictureFile, jpeg: JpegFile, factor: int = 1) -> RgbArray:
    decode = partial(_decoded, _by_opencv(_FLAGS[factor]))
    return convert_colours(decode_jpeg(file.shown, jpeg, decode), cv2.COLOR_BGR2RGB)


def _by_opencv(flags: int) -> _Decode:
    return lambda content: cv2.imdecode(np.frombuffer(content, np.uint8), flags)


def _decoded(decode: _Decode, shown: bytes) -> npt.NDArray[Any]:
    try:
        picture = decode(shown)
    except cv2.error as error:
        check_memory(error)
        raise ImageError(f'the picture cannot be decoded ({error.err}): send it again') from error
    if picture is None:
        raise ImageError(f'the picture ({len(shown)} bytes) is damaged: send it again')
    return np.asarray(picture)


def _with_alpha(grey: npt.NDArray[Any], transparent: int) -> npt.NDArray[Any]:
    """Convert a grey picture to ``[H, W, 4]``; pixels of the value ``transparent`` get alpha 0."""
    alpha = np.where(grey == transparent, 0, np.iinfo(grey.dtype).max).astype(grey.dtype)
    return np.dstack([grey, grey, grey, alpha])


def check_memory(error: cv2.error) -> None:
    """Raise MemoryError if OpenCV failed because of too little memory."""
    if error.code == cv2.Error.StsNoMem:
        raise MemoryError(error.err) from error


def _divided(length: int, factor: int) -> int:
    """Return the length of a side of a JPEG file that is reduced by a factor, rounded up."""
    return -(-length // factor)
