# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.resources
from typing import Any

import cv2
from edgetpu_retrain.demo import photographs as photographs_package
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.model_file.normalization import MINUS_1_TO_1, Normalization
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.runtime.interpreters.preprocessing import fit_to_input, RgbArray
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import numpy.typing as npt
import pytest

HEIGHT, WIDTH = 24, 32


def description(dtype: str, normalization: Normalization = MINUS_1_TO_1) -> ModelDescription:
    return ModelDescription((1, HEIGHT, WIDTH, 3), dtype, dtype, 8, None, False, '', normalization)


def picture(height: int, width: int, seed: int = 0) -> RgbArray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_picture_of_the_right_size_is_taken_as_it_is() -> None:
    rgb = picture(HEIGHT, WIDTH)
    np.testing.assert_array_equal(fit_to_input(rgb, description('uint8')), rgb[np.newaxis])


def test_int8_takes_pixels_less_128() -> None:
    rgb = picture(HEIGHT, WIDTH)
    fitted = fit_to_input(rgb, description('int8'))
    assert fitted.dtype == np.int8
    np.testing.assert_array_equal(fitted[0].astype(int), rgb.astype(int) - 128)


@pytest.mark.parametrize(
    'normalization',
    [
        Normalization((0.0,), (1.0,)),
        Normalization((0.0,), (255.0,)),
        Normalization((123.7, 116.3, 103.5), (58.4, 57.1, 57.4)),
    ],
)
def test_float32_takes_pixels_as_the_model_states(normalization: Normalization) -> None:
    rgb = picture(HEIGHT, WIDTH)
    fitted = fit_to_input(rgb, description('float32', normalization))
    wanted = (rgb.astype(np.float64) - normalization.mean) / normalization.std
    np.testing.assert_allclose(fitted[0], wanted, rtol=1e-5, atol=1e-5)


def test_float32_takes_pixels_from_minus_one_to_one() -> None:
    rgb = picture(HEIGHT, WIDTH)
    rgb[0, 0] = 0, 255, 128
    fitted = fit_to_input(rgb, description('float32'))
    assert fitted.dtype == np.float32
    np.testing.assert_allclose(fitted[0], (rgb.astype(np.float64) - 127.5) / 127.5, atol=1e-7)
    np.testing.assert_array_equal(fitted[0, 0, 0, :2], [-1, 1])


def photographs() -> list[RgbArray]:
    """Return the demo's photographs, which have the detail that aliasing feeds on."""
    found = []
    for file in sorted(importlib.resources.files(photographs_package).iterdir(), key=str):
        if file.name.endswith('.jpg'):
            encoded = np.frombuffer(file.read_bytes(), np.uint8)
            bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
            found.append(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8))
    return found


@pytest.fixture(scope='module')
def extractor() -> Extractor:
    return Extractor(read_model(default_extractor_path()), device='cpu')


def view(photograph: RgbArray, width: int, height: int) -> RgbArray:
    """Return a camera's view of photographs side by side, with the noise of its sensor."""
    times = -(-height // photograph.shape[0]), -(-width // photograph.shape[1])
    tiled = np.tile(photograph, (*times, 1))[:height, :width]
    noise = np.random.default_rng(0).normal(0, 6, tiled.shape)
    return np.clip(tiled + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ('height', 'width'),
    [
        (HEIGHT // 2, WIDTH // 3),
        (HEIGHT * 2, WIDTH // 2),
        (HEIGHT // 2, WIDTH * 2),
        (HEIGHT // 2, WIDTH * 9),
        (1, 2),
    ],
)
def test_enlarging_either_side_interpolates(height: int, width: int) -> None:
    rgb = picture(height, width)
    wanted = cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(fit_to_input(rgb, description('uint8'))[0], wanted)


def test_a_single_pixel_fills_the_input() -> None:
    rgb = picture(1, 1)
    fitted = fit_to_input(rgb, description('uint8'))
    np.testing.assert_array_equal(fitted, np.broadcast_to(rgb, fitted.shape))


@pytest.mark.parametrize(
    ('height', 'width'), [(HEIGHT, WIDTH + 1), (HEIGHT + 4, WIDTH + 4), (HEIGHT + 5, WIDTH)]
)
def test_shrinking_by_little_interpolates(height: int, width: int) -> None:
    rgb = picture(height, width)
    wanted = cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(fit_to_input(rgb, description('uint8'))[0], wanted)


@pytest.mark.parametrize('rows', [1, 2, 4, 8])
@pytest.mark.parametrize('columns', [2, 4, 8, 16])
def test_shrinking_by_powers_of_two_averages_exactly(rows: int, columns: int) -> None:
    rgb = picture(HEIGHT * rows, WIDTH * columns)
    blocks = rgb.reshape(HEIGHT, rows, WIDTH, columns, 3).astype(np.float64)
    fitted = fit_to_input(rgb, description('uint8'))[0]
    # Each halving rounds to a whole number.
    halvings = (max(rows, columns)).bit_length() - 1
    np.testing.assert_allclose(fitted, blocks.mean(axis=(1, 3)), atol=0.5 * halvings + 0.1)


@pytest.mark.parametrize('size', [(100, 100), (200, 49), (50, 700), (97, 131), (240, 319)])
def test_shrinking_keeps_the_brightness_of_each_corner(size: tuple[int, int]) -> None:
    rgb = np.zeros((*size, 3), np.uint8)
    middle = size[1] // 2
    rgb[: size[0] // 2, middle:] = 200, 100, 50
    fitted = fit_to_input(rgb, description('uint8'))[0].astype(float)
    top, right = slice(0, HEIGHT // 2 - 1), slice(WIDTH // 2 + 1, None)
    np.testing.assert_array_equal(np.unique(fitted[top, right].reshape(-1, 3), axis=0).size, 3)
    np.testing.assert_array_equal(fitted[0, -1], [200, 100, 50])
    below = HEIGHT // 2 + 1
    assert not fitted[below:].any()
    assert not fitted[:, : WIDTH // 2 - 1].any()


@pytest.mark.parametrize(
    ('width', 'height'),
    [
        (225, 224),
        (256, 256),
        (320, 240),
        (336, 336),
        (424, 240),
        (450, 300),
        (640, 480),
        (848, 480),
        (1280, 720),
        (1366, 768),
        (1920, 1080),
        (2400, 300),
    ],
)
def test_shrinking_fast_gives_the_embedding_of_exact_averages(
    width: int, height: int, extractor: Extractor
) -> None:
    side = extractor.description.input_shape[1]

    def cosine(first: RgbArray, second: RgbArray) -> float:
        a, b = (
            dequantize(extractor.embed(rgb), extractor.description.quantization).astype(float)
            for rgb in (first, second)
        )
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    fast, linear = [], []
    for photograph in photographs():
        rgb = view(photograph, width, height)
        exact = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)
        fast.append(cosine(fit_to_input(rgb, extractor.description)[0], exact))
        linear.append(cosine(cv2.resize(rgb, (side, side)), exact))
    assert min(fast) >= 0.99
    if max(width, height) > 2 * side:
        assert max(linear) < min(fast), 'these pictures do not tell the two apart'


def test_halving_averages_each_square_of_four_pixels() -> None:
    rgb = picture(HEIGHT * 2, WIDTH * 2)
    squares = rgb.reshape(HEIGHT, 2, WIDTH, 2, 3).astype(np.float64).mean(axis=(1, 3))
    fitted = fit_to_input(rgb, description('uint8'))[0]
    assert np.abs(fitted - squares).max() <= 0.5


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
@pytest.mark.parametrize('size', [(HEIGHT, WIDTH), (100, 100), (10, 10)])
def test_the_result_is_written_into_the_given_array(dtype: str, size: tuple[int, int]) -> None:
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
def test_other_arrays_than_rgb_pictures_are_rejected_with_shape_and_type(
    no_picture: npt.NDArray[Any],
) -> None:
    with pytest.raises(ImageError) as refused:
        fit_to_input(no_picture, description('uint8'))
    assert str(no_picture.dtype) in str(refused.value)
    assert str(list(no_picture.shape)) in str(refused.value)


def test_other_objects_than_arrays_are_rejected() -> None:
    with pytest.raises(ImageError, match='NoneType'):
        fit_to_input(None, description('uint8'))  # type: ignore[arg-type]
