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

    The whole picture is used, its sides stretched as needed.  Shrinking averages the pixels
    (``INTER_AREA``), so that nothing aliases; anything else interpolates linearly.  uint8 takes
    pixels as they are, int8 less 128, float32 as (x - 127.5) / 127.5.

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
    if rgb.shape == out.shape:
        np.copyto(out, rgb)
        return out
    shrinks = rgb.shape[0] >= height and rgb.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    cv2.resize(rgb, (width, height), dst=out, interpolation=method)
    return out
