# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The encodings of ``sensor_msgs/Image`` that are converted to RGB without cv_bridge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.pixels import convert_colours, RgbArray
from edgetpu_retrain.pictures.unsupported import unsupported_encoding
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Encoding:
    """
    The pixel layout of one encoding, and its conversion to RGB.

    Args:
        name: name of the encoding.
        to_rgb: converts uint8 ``[rows, W]`` or ``[rows, W, channels]`` to ``[H, W, 3]``.
        channels: number of values per pixel; if 4, the last is alpha, which ``to_rgb`` ignores.
        dtype: type of a value, without its byte order.
        least: minimum width and height that ``to_rgb`` supports, pixels.
        shared: width and height of the blocks of pixels that share their chroma; width and height
            of an image must be multiples of them.
        rows_of_two: number of rows of ``step`` bytes per two rows of pixels; more than 2 if chroma
            planes follow the luma plane.
        has_half_rows: whether two chroma planes follow (U, then V), with rows of half the length.
    """

    name: str
    to_rgb: Callable[[Pixels], RgbArray]
    channels: int = 1
    dtype: str = 'u1'
    least: int = 1
    shared: tuple[int, int] = (1, 1)
    rows_of_two: int = 2
    has_half_rows: bool = False

    @property
    def bytes_per_pixel(self) -> int:
        """Number of bytes per pixel in a row, without the chroma planes."""
        return self.channels * np.dtype(self.dtype).itemsize

    def rows(self, height: int) -> int:
        """Return the number of rows of ``step`` bytes in the data of an image."""
        return height * self.rows_of_two // 2


def _by_opencv(code: int) -> Callable[[Pixels], RgbArray]:
    return lambda pixels: convert_colours(pixels, code)


def _from_nv24(planes: Pixels) -> RgbArray:
    """Convert nv24, which OpenCV does not support: a luma plane, then a UV plane of full size."""
    height, width = len(planes) // 3, planes.shape[1]
    luma = planes[:height]
    colour = planes[height:].reshape(height, width, 2)
    # Repeat each pixel to get a pair in UYVY, convert the pairs, and drop every second pixel.
    doubled = np.stack([colour[..., 0], luma, colour[..., 1], luma], axis=-1)
    pixels = doubled.reshape(height, 2 * width, 2)
    return np.ascontiguousarray(convert_colours(pixels, cv2.COLOR_YUV2RGB_UYVY)[:, ::2])


# ROS names a Bayer pattern after its first two rows, and OpenCV after the second and third pixel
# of the second row.  OpenCV 4.5.4 does not have constants with the names of ROS, such as
# COLOR_BayerRGGB2RGB.
_BAYER = {
    'rggb': cv2.COLOR_BayerBG2RGB,
    'bggr': cv2.COLOR_BayerRG2RGB,
    'gbrg': cv2.COLOR_BayerGR2RGB,
    'grbg': cv2.COLOR_BayerGB2RGB,
}


def _chosen() -> list[Encoding]:
    found = []
    for bits, dtype in ((8, 'u1'), (16, 'u2')):
        found += [
            Encoding(f'rgb{bits}', lambda pixels: pixels, 3, dtype),
            Encoding(f'bgr{bits}', _by_opencv(cv2.COLOR_BGR2RGB), 3, dtype),
            Encoding(f'rgba{bits}', _by_opencv(cv2.COLOR_RGBA2RGB), 4, dtype),
            Encoding(f'bgra{bits}', _by_opencv(cv2.COLOR_BGRA2RGB), 4, dtype),
            Encoding(f'mono{bits}', _by_opencv(cv2.COLOR_GRAY2RGB), 1, dtype),
        ]
        # OpenCV converts a Bayer picture with a side of fewer than 3 pixels to a black one.
        found += [
            Encoding(f'bayer_{pattern}{bits}', _by_opencv(code), 1, dtype, least=3)
            for pattern, code in _BAYER.items()
        ]
    for name, code in (
        ('yuv422', cv2.COLOR_YUV2RGB_UYVY),
        ('uyvy', cv2.COLOR_YUV2RGB_UYVY),
        ('yuv422_yuy2', cv2.COLOR_YUV2RGB_YUY2),
        ('yuyv', cv2.COLOR_YUV2RGB_YUY2),
    ):
        found.append(Encoding(name, _by_opencv(code), 2, shared=(2, 1)))
    for name, code, has_half_rows in (
        ('nv12', cv2.COLOR_YUV2RGB_NV12, False),
        ('nv21', cv2.COLOR_YUV2RGB_NV21, False),
        ('i420', cv2.COLOR_YUV2RGB_I420, True),
        ('yuv420', cv2.COLOR_YUV2RGB_I420, True),
    ):
        convert = _by_opencv(code)
        found.append(
            Encoding(name, convert, shared=(2, 2), rows_of_two=3, has_half_rows=has_half_rows)
        )
    return [*found, Encoding('nv24', _from_nv24, rows_of_two=6)]


# The names in sensor_msgs/image_encodings.hpp and, for formats without a name there, the names
# that drivers use.
_ENCODINGS: Mapping[str, Encoding] = {each.name: each for each in _chosen()}

CONVERTED_ENCODINGS = tuple(_ENCODINGS)

# Other names that drivers use.  Names of OpenCV's types, such as 8UC3, do not state the order of
# colours, which is BGR in OpenCV.
_MEANINGS = {
    '8uc1': 'mono8',
    '8uc3': 'bgr8',
    '8uc4': 'bgra8',
    '16uc3': 'bgr16',
    '16uc4': 'bgra16',
    'yuy2': 'yuyv',
    'yuv420p': 'yuv420',
}


def find_encoding(name: str) -> Encoding | None:
    """Return the encoding with a name, like :func:`encoding_of`; None if it is not supported."""
    # Drivers written in C may append a NUL character or spaces.
    lower = name.strip(' \0').lower()
    return _ENCODINGS.get(name) or _ENCODINGS.get(_MEANINGS.get(lower, lower))


def encoding_of(name: str) -> Encoding:
    """
    Return the encoding with a name; other names that drivers use, such as 8UC3, are accepted.

    Args:
        name: the ``encoding`` of a ``sensor_msgs/Image``, untrusted.

    Raises:
        ImageError: if the encoding is not supported.
    """
    found = find_encoding(name)
    if found is None:
        raise ImageError(unsupported_encoding(name, CONVERTED_ENCODINGS))
    return found
