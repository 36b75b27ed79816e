# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Converts a ``sensor_msgs/Image`` to RGB.

A table of OpenCV conversions covers the encodings that cameras send.  cv_bridge converts all
others; it is imported when the first such image arrives.  This module needs no ROS: it accepts any
object with the fields of an image message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import os
from typing import Any, Protocol

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.wording import quoted
import numpy as np
import numpy.typing as npt

RgbArray = npt.NDArray[np.uint8]

MAX_PIXELS = 64_000_000
"""64 megapixels are 192 MB of RGB; 8K video has 33."""

MAX_SIDE = 32_767
"""In pixels; OpenCV uses 16-bit coordinates for resizing and rotating (SHRT_MAX)."""


class ImageMessage(Protocol):
    """The fields of ``sensor_msgs/Image`` that describe its pixels."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


@dataclass(frozen=True)
class _Encoding:
    """
    The pixel layout of one encoding, and its conversion to RGB.

    Args:
        channels: values per pixel.
        to_rgb: converts ``[H, W, channels]`` (``[H, W]`` for one channel) to uint8 ``[H, W, 3]``.
        dtype: type of a value, without its byte order.
        least: smallest width and height that ``to_rgb`` supports.
        even_width: whether the width must be even, because pairs of pixels share their colour.
    """

    channels: int
    to_rgb: Callable[[npt.NDArray[Any]], RgbArray]
    dtype: str = 'u1'
    least: int = 1
    even_width: bool = False

    @property
    def bytes_per_pixel(self) -> int:
        return self.channels * np.dtype(self.dtype).itemsize


def convert_colours(pixels: npt.NDArray[Any], code: int) -> RgbArray:
    """
    Return a picture converted to another colour format.

    Args:
        pixels: ``[H, W]`` or ``[H, W, C]``, of a type that OpenCV converts.
        code: one of OpenCV's ``COLOR_...``.
    """
    if pixels.shape[:2] == (1, 1):
        # OpenCV 4.5.4 cannot convert a single pixel that has several channels.
        two = np.repeat(pixels, 2, axis=1)
        return np.asarray(cv2.cvtColor(two, code), np.uint8)[:, :1]
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)


def _by_opencv(code: int) -> Callable[[npt.NDArray[Any]], RgbArray]:
    return lambda pixels: convert_colours(pixels, code)


def _from_mono16(pixels: npt.NDArray[Any]) -> RgbArray:
    # Scale the whole range to 8 bits, 65535 to 255, as cv_bridge does
    # (vision_opencv, cv_bridge/src/cv_bridge.cpp, toCvCopyImpl).
    # OpenCV needs native byte order and aligned rows.
    native = np.require(pixels, np.dtype(np.uint16), ['ALIGNED'])
    grey = cv2.convertScaleAbs(native, alpha=255.0 / 65535.0)
    return convert_colours(grey, cv2.COLOR_GRAY2RGB)


def _bayer(code: int) -> _Encoding:
    # OpenCV returns a black picture if a side has fewer than 3 pixels.
    return _Encoding(1, _by_opencv(code), least=3)


def _yuv422(code: int) -> _Encoding:
    return _Encoding(2, _by_opencv(code), even_width=True)


# Names as in sensor_msgs/image_encodings.hpp.  OpenCV names a Bayer pattern after the second and
# third pixel of its second row; 4.5.4 does not have ROS's names (COLOR_BayerRGGB2RGB) yet.
_ENCODINGS = {
    'rgb8': _Encoding(3, lambda pixels: pixels),
    'bgr8': _Encoding(3, _by_opencv(cv2.COLOR_BGR2RGB)),
    'rgba8': _Encoding(4, _by_opencv(cv2.COLOR_RGBA2RGB)),
    'bgra8': _Encoding(4, _by_opencv(cv2.COLOR_BGRA2RGB)),
    'mono8': _Encoding(1, _by_opencv(cv2.COLOR_GRAY2RGB)),
    'mono16': _Encoding(1, _from_mono16, dtype='u2'),
    'bayer_rggb8': _bayer(cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': _bayer(cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': _bayer(cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': _bayer(cv2.COLOR_BayerGB2RGB),
    'yuv422': _yuv422(cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': _yuv422(cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': _yuv422(cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': _yuv422(cv2.COLOR_YUV2RGB_YUY2),
}

CONVERTED_ENCODINGS = tuple(_ENCODINGS)

MAX_BYTES = 512 * 1024 * 1024
"""Maximum size of an image's data, including padding: 64 megapixels with 64 bits per pixel."""

MAX_ENCODING_LENGTH = 32
"""In characters; the longest name in sensor_msgs/image_encodings.hpp has 12."""

_LONGEST_REASON = 300


def check_size(what: str, width: int, height: int) -> None:
    """
    Raise if a picture is empty or exceeds the limits.

    Args:
        what: name of the picture in the message.
        width: in pixels.
        height: in pixels.

    Raises:
        ImageError: if a side is 0 or a limit is exceeded; the message has the size.
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
    Raise if the fields of an image message are inconsistent or exceed a limit.

    No pixels are read.

    Raises:
        ImageError: if size, step, encoding and amount of data do not match, or exceed a limit.
    """
    check_size('the image', message.width, message.height)
    if len(message.data) != message.step * message.height:
        raise ImageError(
            f'data has {len(message.data)} bytes, but {message.height} rows of step '
            f'{message.step} are {message.step * message.height}: fix the publisher'
        )
    if len(message.data) > MAX_BYTES:
        raise ImageError(
            f'the image has {len(message.data)} bytes, more than {MAX_BYTES}: make it smaller, or '
            'its rows shorter'
        )
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        _check_foreign_encoding(message)
        return
    row = message.width * encoding.bytes_per_pixel
    if message.step < row:
        raise ImageError(
            f'step is {message.step} bytes, but a row of {message.width} {message.encoding} '
            f'pixels has {row}: fix the publisher'
        )
    if min(message.width, message.height) < encoding.least:
        raise ImageError(
            f'the image is {message.width} x {message.height} pixels: {message.encoding} needs '
            f'{encoding.least} x {encoding.least} or more'
        )
    if encoding.even_width and message.width % 2:
        raise ImageError(
            f'width is {message.width}: {message.encoding} keeps its colour in pairs of pixels '
            'and needs an even width'
        )


def image_to_rgb(message: ImageMessage) -> RgbArray:
    """
    Return the picture in an image message.

    Args:
        message: a ``sensor_msgs/Image``.

    Returns:
        uint8 ``[H, W, 3]`` RGB.  For rgb8 it is a view of the message's data, whose rows may be
        padded; every other encoding is converted into a new array.

    Raises:
        ImageError: if the message is inconsistent (see :func:`check_image`) or its encoding
            cannot be converted.
    """
    check_image(message)
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        return _by_cv_bridge(message)
    return encoding.to_rgb(_pixels(message, encoding))


def image_size(message: ImageMessage) -> tuple[int, int]:
    """Return width and height of the picture in an image message."""
    return message.width, message.height


def _pixels(message: ImageMessage, encoding: _Encoding) -> npt.NDArray[Any]:
    """Return the pixels as a view of the message's data, without padding."""
    dtype = np.dtype(encoding.dtype).newbyteorder('>' if message.is_bigendian else '<')
    shape: tuple[int, ...] = (message.height, message.width)
    strides: tuple[int, ...] = (message.step, encoding.bytes_per_pixel)
    if encoding.channels > 1:
        shape, strides = (*shape, encoding.channels), (*strides, dtype.itemsize)
    return np.ndarray(shape, dtype, memoryview(message.data), strides=strides)


def _check_foreign_encoding(message: ImageMessage) -> None:
    """Raise if a message is invalid in ways that cv_bridge does not check."""
    if len(message.encoding) > MAX_ENCODING_LENGTH:
        raise ImageError(
            f'encoding {quoted(message.encoding)} has more than {MAX_ENCODING_LENGTH} characters: '
            f'make the camera send one of {", ".join(CONVERTED_ENCODINGS)}'
        )
    # Every encoding has at least one byte per pixel.
    if message.step < message.width:
        raise ImageError(
            f'step is {message.step} bytes, but a row has {message.width} pixels: fix the '
            'publisher'
        )


def _by_cv_bridge(message: ImageMessage) -> RgbArray:
    try:
        from cv_bridge import CvBridge
    except ImportError as error:
        distro = os.environ.get('ROS_DISTRO') or '<distro>'
        raise ImageError(
            f'encoding {message.encoding!a} is none of {", ".join(CONVERTED_ENCODINGS)} and needs '
            f'cv_bridge, which is not installed: sudo apt install ros-{distro}-cv-bridge, or '
            'make the camera send one of these'
        ) from error
    try:
        picture = CvBridge().imgmsg_to_cv2(message, desired_encoding='rgb8')
    except Exception as error:
        raise ImageError(
            f'cv_bridge cannot convert encoding {message.encoding!a} to RGB '
            f'({quoted(error, _LONGEST_REASON)}): '
            f'make the camera send one of {", ".join(CONVERTED_ENCODINGS)}'
        ) from error
    return np.asarray(picture, np.uint8)
