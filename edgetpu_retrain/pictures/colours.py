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
"""Conversions of colours by OpenCV, for pictures of any size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def convert_colours(pixels: npt.NDArray[Any], code: int) -> npt.NDArray[np.uint8]:
    """
    Return a picture in other colours.

    Args:
        pixels: ``[H, W]`` or ``[H, W, C]``.
        code: one of OpenCV's ``COLOR_...``.
    """
    if pixels.shape[:2] == (1, 1):
        # OpenCV 4.5.4 refuses a single pixel that has several channels.
        two = np.repeat(pixels, 2, axis=1)
        return np.asarray(cv2.cvtColor(two, code), np.uint8)[:, :1]
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
