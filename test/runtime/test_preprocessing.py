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
from __future__ import annotations

from typing import Any

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.runtime.preprocessing import fit_to_input, Image
import numpy as np
import numpy.typing as npt
import pytest

HEIGHT, WIDTH = 24, 32


def description(dtype: str) -> ModelDescription:
    return ModelDescription((1, HEIGHT, WIDTH, 3), dtype, dtype, 8, None, False, '')


def picture(height: int, width: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_picture_of_the_right_size_is_taken_as_it_is() -> None:
    rgb = picture(HEIGHT, WIDTH)
    np.testing.assert_array_equal(fit_to_input(rgb, description('uint8')), rgb[np.newaxis])


def test_int8_takes_pixels_less_128() -> None:
    rgb = picture(HEIGHT, WIDTH)
    fitted = fit_to_input(rgb, description('int8'))
    assert fitted.dtype == np.int8
    np.testing.assert_array_equal(fitted[0].astype(int), rgb.astype(int) - 128)


def test_float32_takes_pixels_from_minus_one_to_one() -> None:
    rgb = picture(HEIGHT, WIDTH)
    rgb[0, 0] = 0, 255, 128
    fitted = fit_to_input(rgb, description('float32'))
    assert fitted.dtype == np.float32
    np.testing.assert_allclose(fitted[0], (rgb.astype(np.float64) - 127.5) / 127.5, atol=1e-7)
    np.testing.assert_array_equal(fitted[0, 0, 0, :2], [-1, 1])


@pytest.mark.parametrize(
    ('height', 'width', 'method'),
    [
        (HEIGHT * 2, WIDTH * 3, cv2.INTER_AREA),
        (HEIGHT, WIDTH * 3, cv2.INTER_AREA),
        (HEIGHT // 2, WIDTH // 3, cv2.INTER_LINEAR),
        (HEIGHT * 2, WIDTH // 2, cv2.INTER_LINEAR),
        (HEIGHT // 2, WIDTH * 2, cv2.INTER_LINEAR),
        (1, 1, cv2.INTER_LINEAR),
    ],
)
def test_shrinking_averages_and_anything_else_interpolates(
    height: int, width: int, method: int
) -> None:
    rgb = picture(height, width)
    wanted = cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=method)
    other = cv2.INTER_LINEAR if method == cv2.INTER_AREA else cv2.INTER_AREA
    fitted = fit_to_input(rgb, description('uint8'))
    np.testing.assert_array_equal(fitted[0], wanted)
    if height > 1 and method == cv2.INTER_AREA:
        assert (fitted[0] != cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=other)).any()


def test_halving_averages_each_square_of_four_pixels() -> None:
    rgb = picture(HEIGHT * 2, WIDTH * 2)
    squares = rgb.reshape(HEIGHT, 2, WIDTH, 2, 3).astype(np.float64).mean(axis=(1, 3))
    fitted = fit_to_input(rgb, description('uint8'))[0]
    assert np.abs(fitted - squares).max() <= 0.5


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
@pytest.mark.parametrize('size', [(HEIGHT, WIDTH), (100, 100), (10, 10)])
def test_the_result_is_written_where_it_is_wanted(dtype: str, size: tuple[int, int]) -> None:
    rgb = picture(*size)
    out = np.zeros((1, HEIGHT, WIDTH, 3), dtype)
    assert fit_to_input(rgb, description(dtype), out=out) is out
    np.testing.assert_array_equal(out, fit_to_input(rgb, description(dtype)))
    assert out.any()


@pytest.mark.parametrize(
    'view',
    [
        np.s_[10:60, 20:90],
        np.s_[:, :, ::-1],
        np.s_[::-1],
        np.s_[:, ::-1],
        np.s_[::2, ::3],
    ],
)
def test_views_of_any_strides_are_taken(view: Any) -> None:
    rgb = picture(100, 120)[view]
    wanted = fit_to_input(np.ascontiguousarray(rgb), description('uint8'))
    np.testing.assert_array_equal(fit_to_input(rgb, description('uint8')), wanted)


def test_the_picture_itself_is_left_alone() -> None:
    rgb = picture(100, 100)
    rgb.flags.writeable = False
    for dtype in ('uint8', 'int8', 'float32'):
        fit_to_input(rgb, description(dtype))
    np.testing.assert_array_equal(rgb, picture(100, 100))


@pytest.mark.parametrize(
    'no_picture',
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int8),
        np.zeros((4, 4, 3), np.uint16),
    ],
)
def test_what_is_no_rgb_picture_is_refused_with_shape_and_type(
    no_picture: npt.NDArray[Any],
) -> None:
    with pytest.raises(ImageError) as refused:
        fit_to_input(no_picture, description('uint8'))
    assert str(no_picture.dtype) in str(refused.value)
    assert str(list(no_picture.shape)) in str(refused.value)


def test_what_is_no_array_is_refused() -> None:
    with pytest.raises(ImageError, match='NoneType'):
        fit_to_input(None, description('uint8'))  # type: ignore[arg-type]
