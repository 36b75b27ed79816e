# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures are shared as small JPEG files, and only such are shown."""

from __future__ import annotations

import struct

import cv2
from edgetpu_retrain.fleet.evidence.pack import MAX_PICTURE_BYTES
from edgetpu_retrain.fleet.robot.thumbnail import is_thumbnail, thumbnail
import numpy as np


def jpeg(height: int, width: int, *, noise: bool = False) -> bytes:
    pixels = np.zeros((height, width, 3), np.uint8)
    if noise:
        pixels = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint8)
    return bytes(cv2.imencode('.jpg', pixels)[1].tobytes())


def test_small_pictures_are_unchanged_and_others_reduced() -> None:
    small = jpeg(240, 320)
    assert thumbnail(small) == small
    for large in (jpeg(900, 900, noise=True), jpeg(2000, 20)):
        assert not is_thumbnail(large)
        smaller = thumbnail(large)
        assert smaller is not None
        assert is_thumbnail(smaller)
        assert len(smaller) <= MAX_PICTURE_BYTES


def test_damaged_and_hostile_pictures_are_left_out() -> None:
    small = jpeg(240, 320)
    size = struct.pack('>HH', 240, 320)
    assert small.count(size) == 1
    for hostile in (
        small.replace(size, struct.pack('>HH', 65_000, 65_000)),
        small[:-2],
        small[:100] + b'\xff\xd9',
        b'\xff\xd8\xff\xd9',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'',
    ):
        assert not is_thumbnail(hostile)
        assert thumbnail(hostile) is None or is_thumbnail(thumbnail(hostile) or b'')
