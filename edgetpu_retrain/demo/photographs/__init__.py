# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The photographs of the demo; README.md in this folder lists their authors and licences."""

from __future__ import annotations

from pathlib import Path

import cv2
from edgetpu_retrain.demo.camera_motion import RgbArray
import numpy as np

_FOLDER = Path(__file__).parent

SUBJECTS: tuple[str, ...] = ('astronaut', 'cat', 'coffee', 'coins', 'photographer', 'rocket')
"""The subjects of the photographs: the classes of the demo, without the background."""


def read_photograph(subject: str) -> RgbArray:
    """
    Return the photograph of a subject, uint8 ``[height, width, 3]`` RGB.

    Args:
        subject: one of :data:`SUBJECTS`.

    Raises:
        ValueError: if the subject is unknown.
        FileNotFoundError: if the photograph is missing or unreadable.
    """
    if subject not in SUBJECTS:
        raise ValueError(f'there is no photograph of {subject!r}; there are {", ".join(SUBJECTS)}')
    path = _FOLDER / f'{subject}.jpg'
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if bgr is None:
        raise FileNotFoundError(f'cannot read {path}; reinstall the package edgetpu_retrain')
    return np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)
