# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws the background of the demo: a picture of an empty table."""

from __future__ import annotations

import cv2
from edgetpu_retrain.demo.camera_motion import RgbArray
import numpy as np

_HEIGHT, _WIDTH = 600, 800
_BOARDS = 5
_WOOD = (158, 117, 78)


def empty_table() -> RgbArray:
    """Return a picture of a wooden table, uint8 ``[600, 800, 3]`` RGB; it is always the same."""
    rng = np.random.default_rng(0)
    light = np.ones((_HEIGHT, _WIDTH), np.float32)
    for length, thickness, strength in ((60.0, 1.5, 0.08), (200.0, 8.0, 0.06)):
        grain = rng.standard_normal(light.shape, np.float32)
        grain = np.asarray(cv2.GaussianBlur(grain, None, sigmaX=length, sigmaY=thickness))
        light += strength * grain / grain.std()
    for rows in np.split(light, _BOARDS):
        rows[:] = np.roll(rows, int(rng.integers(_WIDTH)), axis=1) * rng.uniform(0.9, 1.1)
        rows[:2] *= 0.5
    colours = light[:, :, np.newaxis] * np.array(_WOOD, np.float32)
    return np.clip(colours, 0.0, 255.0).astype(np.uint8)
