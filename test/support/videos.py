# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Small video files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def write_video(
    path: Path, values: Sequence[int], rate: float = 25.0, size: tuple[int, int] = (64, 48)
) -> Path:
    """Write a video with a plain grey picture of each value, in a codec that OpenCV contains."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), rate, size)
    assert writer.isOpened()
    for value in values:
        writer.write(np.full((size[1], size[0], 3), value, np.uint8))
    writer.release()
    return path


def brightness(picture: Any) -> int:
    """Return the mean of a picture, rounded to tens, which a lossy codec does not change."""
    return round(float(np.mean(picture)) / 10.0) * 10
