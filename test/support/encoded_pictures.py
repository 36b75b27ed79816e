# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture in many encodings of ``sensor_msgs/Image``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt


class Encoded(NamedTuple):
    """A picture in an encoding."""

    encoding: str
    step: int
    data: bytes
    is_exact: bool
    """Whether no colour is lost in the encoding."""


def encoded(rgb: npt.NDArray[np.uint8]) -> Iterator[Encoded]:
    """Generate a picture ``[H, W, 3]``, of even width and height, in many encodings."""
    bgr = rgb[..., ::-1]
    # Alpha of one value is padding.
    alpha = np.full_like(rgb[..., :1], 17)
    eight_bits = {
        'rgb8': rgb,
        'bgr8': bgr,
        'rgba8': np.dstack([rgb, alpha]),
        'bgra8': np.dstack([bgr, alpha]),
        '8UC3': bgr,
        '8UC4': np.dstack([bgr, alpha]),
    }
    for name, pixels in eight_bits.items():
        yield Encoded(name, pixels[0].nbytes, pixels.tobytes(), is_exact=True)
        wide = pixels * np.uint16(257)
        name = name.replace('8', '16', 1)
        yield Encoded(name, wide[0].nbytes, wide.tobytes(), is_exact=True)
    height, width = rgb.shape[:2]
    i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    luma, (u, v) = i420[:height], i420[height:].reshape(2, height // 2, width // 2)
    whole_u, whole_v = (np.repeat(np.repeat(each, 2, 0), 2, 1) for each in (u, v))
    # The colour of one of two neighbouring pixels.
    pairs = np.stack([whole_u[:, ::2], whole_v[:, ::2]], -1).reshape(height, width)
    planes = {
        'i420': i420,
        'yuv420': i420,
        'nv12': np.vstack([luma, np.stack([u, v], -1).reshape(height // 2, width)]),
        'nv21': np.vstack([luma, np.stack([v, u], -1).reshape(height // 2, width)]),
        'nv24': np.vstack([luma, np.stack([whole_u, whole_v], -1).reshape(2 * height, width)]),
        'uyvy': np.stack([pairs, luma], -1),
        'yuyv': np.stack([luma, pairs], -1),
    }
    for name, values in planes.items():
        yield Encoded(name, values[0].nbytes, values.tobytes(), is_exact=False)
