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
"""Preprocessing: from a camera's picture to what a model's input tensor holds."""

from __future__ import annotations

from typing import Any

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.model_file.description import ModelDescription
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

# A float model sees [-1, 1], as Coral's and TensorFlow's float MobileNets do:
# https://www.tensorflow.org/api_docs/python/tf/keras/applications/mobilenet/preprocess_input
_FLOAT_CENTRE = np.float32(127.5)
# Flipping the highest bit of a uint8 subtracts 128 from it, read as int8.
_HIGHEST_BIT = np.uint8(0x80)
# In lengths of the input's sides.  A picture below the first is averaged exactly, which is cheap
# for it; a side below the second is interpolated, where doubling it first would blur more; and a
# picture from the third on is halved first.
_STEPS_FROM = 1.5
_DOUBLE_FROM = 1.25
_HALVE_FROM = 4


def check_image(rgb: Image) -> None:
    """
    Refuse what is not an RGB picture of 8 bits.

    Raises:
        ImageError: naming shape and type.
    """
    if not isinstance(rgb, np.ndarray):
        raise ImageError(
            f'the picture is a {type(rgb).__name__}; it must be a numpy array, uint8 [H, W, 3]'
        )
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ImageError(
            f'the picture is {rgb.dtype} of shape {list(rgb.shape)}; it must be RGB, uint8 '
            f'[H, W, 3] with at least one pixel'
        )


def fit_to_input(
    rgb: Image, description: ModelDescription, out: npt.NDArray[Any] | None = None
) -> npt.NDArray[Any]:
    """
    Resize a picture to a model's input and write it as the input's type.

    The whole picture is used, its sides stretched as needed.  Shrinking averages the pixels, so
    that nothing aliases; anything else interpolates linearly.  uint8 takes pixels as they are,
    int8 less 128, float32 as (x - 127.5) / 127.5.

    The same picture gives the same input everywhere in this package, so that what is taught from
    files holds for a camera.  How shrinking averages is told in :func:`_shrink`.

    Args:
        rgb: uint8 ``[H, W, 3]``, of any strides.
        description: of the model.
        out: where to write, ``[1, h, w, 3]`` of the input's type, such as a view of the input
            tensor; None makes a new array.

    Returns:
        ``out``.

    Raises:
        ImageError: when ``rgb`` is no such picture.
    """
    check_image(rgb)
    if out is None:
        out = np.empty(description.input_shape, description.input_dtype)
    if description.input_dtype == 'float32':
        pixels = _resized(rgb, np.empty(out.shape[1:], np.uint8))
        np.subtract(pixels, _FLOAT_CENTRE, out=out[0])
        out /= _FLOAT_CENTRE
        return out
    pixels = _resized(rgb, out[0].view(np.uint8))
    if description.input_dtype == 'int8':
        np.bitwise_xor(pixels, _HIGHEST_BIT, out=pixels)
    return out


def _resized(rgb: Image, out: Image) -> Image:
    """Write the picture into ``out``, resized to its height and width."""
    height, width = out.shape[:2]
    # A single pixel is repeated, as interpolation would do, and OpenCV 4.5.4 refuses to.
    if rgb.shape == out.shape or rgb.shape[:2] == (1, 1):
        np.copyto(out, rgb)
        return out
    if rgb.shape[0] >= height and rgb.shape[1] >= width:
        _shrink(rgb, out)
    else:
        _stretched(rgb, height, width, cv2.INTER_LINEAR, out)
    return out


def _shrink(rgb: Image, out: Image) -> None:
    """
    Average a picture down to the size of ``out``, in steps for which OpenCV has fast code.

    ``INTER_AREA`` averages exactly what a pixel of the result covers, and takes longer for it
    than many an Edge TPU for a whole pass: 1.3 ms from 640x480 and 7 to 15 ms from 1920x1080 to
    224x224, on one core.  Its case of 2x2 pixels, though, and linear interpolation have vector
    code.  So a large picture is halved first, interpolated to twice (or 4, 8, ... times) the
    result, by less than a factor of 2 and hence without gaps between what it looks at, and
    averaged from there: 0.35 and 1.5 ms.  Over photographs, with and without a camera's noise,
    and sizes from 424x240 to 3840x2160, the default extractor's embeddings have a cosine of at
    least 0.99 to those of ``INTER_AREA`` alone (0.997 on average), with OpenCV 4.6 and 5.0 alike;
    linear interpolation alone goes down to 0.83, and OpenCV's pyramid to 0.93.
    """
    height, width = out.shape[:2]
    if rgb.shape[0] < _STEPS_FROM * height and rgb.shape[1] < _STEPS_FROM * width:
        _stretched(rgb, height, width, cv2.INTER_AREA, out)
        return
    while rgb.shape[0] >= _HALVE_FROM * height and rgb.shape[1] >= _HALVE_FROM * width:
        # The last row or column of an odd number is left out.
        rows, columns = rgb.shape[0] // 2, rgb.shape[1] // 2
        rgb = _stretched(rgb[: 2 * rows, : 2 * columns], rows, columns, cv2.INTER_AREA)
    rows, columns = _multiple(rgb.shape[0], height), _multiple(rgb.shape[1], width)
    if rgb.shape[:2] != (rows, columns):
        rgb = _stretched(rgb, rows, columns, cv2.INTER_LINEAR)
    while (rows, columns) != (height, width):
        # Along one side alone linear interpolation takes the mean of two pixels, and is faster.
        both = rows > height and columns > width
        rows, columns = max(rows // 2, height), max(columns // 2, width)
        there = out if (rows, columns) == (height, width) else None
        method = cv2.INTER_AREA if both else cv2.INTER_LINEAR
        rgb = _stretched(rgb, rows, columns, method, there)


def _stretched(
    rgb: Image, rows: int, columns: int, method: int, out: Image | None = None
) -> Image:
    resized: Image = cv2.resize(rgb, (columns, rows), dst=out, interpolation=method)
    return resized


def _multiple(length: int, wanted: int) -> int:
    """Return the power of two times ``wanted`` from which a side is halved down to it."""
    if length < _DOUBLE_FROM * wanted:
        return wanted
    multiple = 2 * wanted
    while 2 * multiple <= length:
        multiple *= 2
    return multiple
