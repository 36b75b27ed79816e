# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
from edgetpu_retrain.pictures.pixels import convert_colours, is_transparent, on_grey
import numpy as np
import pytest


@pytest.mark.parametrize('size', [(1, 1), (1, 2), (2, 1), (3, 5)])
def test_pictures_of_every_size_change_their_colours(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    np.testing.assert_array_equal(convert_colours(rgb, cv2.COLOR_BGR2RGB), rgb[..., ::-1])


def test_alpha_of_one_value_may_be_padding() -> None:
    pixels = np.zeros((3, 4, 4), np.uint8)
    assert is_transparent(pixels)
    assert not is_transparent(pixels, may_be_padding=True)
    pixels[0, 0, 3] = 255
    assert is_transparent(pixels, may_be_padding=True)
    pixels[..., 3] = 255
    assert not is_transparent(pixels)


def test_compositing_is_exact_for_all_colours_and_alphas() -> None:
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    pixels = np.dstack([colour, 255 - colour, colour // 2, alpha]).astype(np.uint8)
    given = pixels.copy()
    shares = alpha[..., np.newaxis] / 255
    expected = pixels[..., :3] * shares + 128 * (1 - shares)
    result = on_grey(pixels)
    assert result.dtype == np.uint8
    assert np.abs(result[..., :3] - expected).max() <= 0.5 + 1e-9
    assert (result[..., 3] == 255).all()
    np.testing.assert_array_equal(pixels, given)
    np.testing.assert_array_equal(result[255], pixels[255])
