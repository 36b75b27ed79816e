# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
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
