# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Converts a ``sensor_msgs/Image`` to RGB.

This module does not need ROS: it accepts any object with the fields of an image message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.cv_bridge_conversion import (
    check_by_length,
    convert_by_cv_bridge,
    has_cv_bridge,
)
from edgetpu_retrain.pictures.image_encodings import (
    CONVERTED_ENCODINGS,
    Encoding,
    encoding_of,
    find_encoding,
)
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.unsupported import is_no_picture
import numpy as np
import numpy.typing as npt

MAX_PIXELS = 64_000_000
"""Maximum number of pixels, 192 MB of RGB; a frame of 8K video has 33 megapixels."""

MAX_SIDE = 32_767
"""Maximum width and height, pixels; OpenCV resizes and rotates with 16-bit coordinates."""

MAX_BYTES = 512 * 1024 * 1024
"""Maximum size of an image's data with padding, bytes: 64 megapixels with 64 bits per pixel."""

# Number of channels of an encoding with alpha.
_WITH_ALPHA = 4


class ImageMessage(Protocol):
    """The fields of ``sensor_msgs/Image`` that describe its pixels."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


@dataclass(frozen=True)
class _Layout:
    """
    Where the pixels are in the data of an image.

    Args:
        encoding: the encoding.
        rows: number of rows of ``step`` bytes in the data, including those of chroma planes.
        step: bytes from one row to the next.
    """

    encoding: Encoding
    rows: int
    step: int


def check_size(what: str, width: int, height: int) -> None:
    """
    Check that a picture is not empty and does not exceed the limits.

    Args:
        what: name of the picture for the error message.
        width: width, pixels.
        height: height, pixels.

    Raises:
        ImageError: if a side is 0, or a limit is exceeded.
    """
    if not width or not height:
        raise ImageError(f'{what} is {width} x {height} pixels: a side of 0 is no picture')
    if width * height > MAX_PIXELS:
        raise ImageError(
            f'{what} is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} '
            'megapixels: make it smaller'
        )
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f'{what} is {width} x {height} pixels, and a side is longer than {MAX_SIDE}: make it '
            'smaller'
        )


def check_image(message: ImageMessage) -> None:
    """
    Check that the fields of an image message are valid, without reading its pixels.

    If cv_bridge is installed, an unknown encoding is accepted unless
    :func:`~edgetpu_retrain.pictures.unsupported.is_no_picture` rules it out.

    Raises:
        ImageError: if the encoding is not supported, or if size, step and amount of data are
            inconsistent or exceed a limit.
    """
    if _is_for_cv_bridge(message.encoding):
        _check_amount(message)
        check_by_length(message)
    else:
        _layout(message)


def _is_for_cv_bridge(encoding: str) -> bool:
    is_unknown = find_encoding(encoding) is None and not is_no_picture(encoding)
    return is_unknown and has_cv_bridge()


def image_to_rgb(message: ImageMessage, source: PictureSource | None = None) -> RgbArray:
    """
    Return the picture in an image message.

    Args:
        message: a ``sensor_msgs/Image``.
        source: the options for decoding; None uses the defaults.

    Returns:
        uint8 ``[H, W, 3]`` RGB.  For rgb8, the array is a view of the message's data, and is not
        contiguous if the message pads its rows.  Other encodings are converted to a new array.

    Raises:
        ImageError: if :func:`check_image` rejects the message, or cv_bridge cannot convert it.
    """
    if _is_for_cv_bridge(message.encoding):
        check_image(message)
        return convert_by_cv_bridge(message, CONVERTED_ENCODINGS)
    source = source or PictureSource()
    layout = _layout(message)
    encoding = layout.encoding
    if message.encoding != encoding.name:
        source.report_once(f'encoding {message.encoding!a} is taken as {encoding.name}')
    if not message.step:
        source.report_once('step is 0: the rows of images are taken as unpadded')
    pixels = _pixels(message, layout)
    if encoding.dtype != 'u1':
        pixels = source.to_8_bits(pixels, 3 if encoding.channels == _WITH_ALPHA else None)
    if encoding.channels == _WITH_ALPHA:
        pixels = source.opaque(pixels, may_be_padding=True)
    return encoding.to_rgb(pixels)


def image_size(message: ImageMessage) -> tuple[int, int]:
    """Return the width and height of an image message, pixels."""
    return message.width, message.height


def _check_amount(message: ImageMessage) -> None:
    check_size('the image', message.width, message.height)
    if (size := len(message.data)) > MAX_BYTES:
        raise ImageError(
            f'the image has {size} bytes, more than {MAX_BYTES}: make it smaller, or its rows '
            'shorter'
        )


def _layout(message: ImageMessage) -> _Layout:
    """Check the fields of a message, and return the layout of its data."""
    encoding = encoding_of(message.encoding)
    _check_amount(message)
    width, height, size = message.width, message.height, len(message.data)
    if min(width, height) < encoding.least:
        raise ImageError(
            f'the image is {width} x {height} pixels: {encoding.name} needs '
            f'{encoding.least} x {encoding.least} or more'
        )
    _check_shared_colour(encoding, width, height)
    rows, row = encoding.rows(height), width * encoding.bytes_per_pixel
    # Some drivers leave step 0, or set it to the size of all planes divided by the height.
    if size == rows * row and message.step in (0, rows * row // height):
        return _Layout(encoding, rows, row)
    if message.step < row:
        raise ImageError(
            f'step is {message.step} bytes, but a row of {width} {encoding.name} pixels has '
            f'{row}: fix the publisher'
        )
    if size != message.step * rows:
        raise ImageError(
            f'data has {size} bytes, but {rows} rows of step {message.step}, as {encoding.name} '
            f'of {height} rows of pixels has, are {message.step * rows}: fix the publisher'
        )
    if encoding.has_half_rows and message.step % 2:
        raise ImageError(
            f'step is {message.step} bytes: {encoding.name} has rows of half the length, so it '
            'must be even'
        )
    return _Layout(encoding, rows, message.step)


def _check_shared_colour(encoding: Encoding, width: int, height: int) -> None:
    across, down = encoding.shared
    if width % across or height % down:
        sides = 'an even width and height' if down > 1 else 'an even width'
        raise ImageError(
            f'the image is {width} x {height} pixels: in {encoding.name}, {across} x {down} '
            f'pixels share their colour, which needs {sides}'
        )


def _pixels(message: ImageMessage, layout: _Layout) -> npt.NDArray[Any]:
    """Return the pixels without padding, as a view of the message's data if possible."""
    encoding, width, height = layout.encoding, message.width, message.height
    dtype = np.dtype(encoding.dtype).newbyteorder('>' if message.is_bigendian else '<')
    shape: tuple[int, ...] = (layout.rows, width)
    strides: tuple[int, ...] = (layout.step, encoding.bytes_per_pixel)
    if encoding.channels > 1:
        shape, strides = (*shape, encoding.channels), (*strides, dtype.itemsize)
    data = memoryview(message.data)
    if encoding.has_half_rows and layout.step > width:
        planes = np.frombuffer(data, np.uint8).reshape(layout.rows, layout.step)
        colour = planes[height:].reshape(height, layout.step // 2)[:, : width // 2]
        return np.vstack([planes[:height, :width], colour.reshape(height // 2, width)])
    return np.ndarray(shape, dtype, data, strides=strides)
