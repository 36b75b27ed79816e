# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import RgbArray
from edgetpu_retrain.pictures.sample_picture import sample_picture
import numpy as np
import pytest


def smooth(height: int, width: int) -> RgbArray:
    ramp = np.linspace(0, 250, height * width * 3).reshape(height, width, 3)
    return ramp.astype(np.uint8)


def decoded(jpeg: bytes | None) -> RgbArray:
    assert jpeg is not None
    picture: RgbArray = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    return picture


def test_nothing_is_kept_by_default() -> None:
    assert sample_picture(smooth(4, 4), 'none') is None


def test_all_of_a_cut_is_kept_in_its_colours() -> None:
    cut = smooth(400, 600)[10:370, 5:505]
    kept = decoded(sample_picture(cut, 'full'))
    assert kept.shape == cut.shape
    assert np.abs(kept.astype(int) - cut).mean() < 3


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        ((480, 640), (240, 320)),
        ((1000, 100), (320, 32)),
        ((200, 300), (200, 300)),
        ((5000, 1), (320, 1)),
    ],
)
def test_a_thumbnail_keeps_the_shape(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert decoded(sample_picture(smooth(*size), 'thumbnail')).shape[:2] == expected


def test_what_is_too_large_for_jpeg_is_rejected() -> None:
    with pytest.raises(ImageError, match='set store_images to thumbnail or none'):
        sample_picture(np.zeros((1, 70000, 3), np.uint8), 'full')
