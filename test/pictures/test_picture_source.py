# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.pictures.picture_source import DARK_FRAMES, PictureSource
import numpy as np
import numpy.typing as npt
import pytest


def picture(brightest: int) -> npt.NDArray[np.uint16]:
    return np.linspace(0, brightest, 12).reshape(3, 4).astype(np.uint16)


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
def test_the_range_of_the_bits_becomes_that_of_8_bits(bits: int) -> None:
    source = PictureSource(bits=bits)
    most = 2**bits - 1
    values = np.array([[0, most // 2, most]], np.uint16)
    expected = np.rint(values * (255 / most)).astype(np.uint8)
    np.testing.assert_array_equal(source.to_8_bits(values), expected)
    # What has more bits than it should is as bright as possible.
    assert source.to_8_bits(np.array([[65535]], np.uint16))[0, 0] == 255


def test_alpha_always_has_16_bits() -> None:
    values = np.array([[[1023, 0, 512, 65535], [1023, 0, 512, 0]]], np.uint16)
    scaled = PictureSource(bits=10).to_8_bits(values, colours=3)
    np.testing.assert_array_equal(scaled[0], [[255, 0, 128, 255], [255, 0, 128, 0]])


@pytest.mark.parametrize(
    ('bits', 'brightest', 'advice'), [(16, 1016, 10), (16, 4095, 12), (16, 200, 8), (12, 250, 8)]
)
def test_dark_pictures_are_reported_once_with_the_value_to_set(
    reports: list[str], bits: int, brightest: int, advice: int
) -> None:
    source = PictureSource(reports.append, bits, 'front.bits')
    before = source.to_8_bits(picture(brightest))
    for _ in range(DARK_FRAMES - 2):
        source.to_8_bits(picture(brightest // 2))
    assert reports == []
    after = source.to_8_bits(picture(brightest))
    (report,) = reports
    assert f'no value of the first 30 is above {brightest} of {2**bits - 1}' in report
    assert f'set front.bits to {advice}' in report
    for _ in range(2 * DARK_FRAMES):
        source.to_8_bits(picture(brightest))
    source.end()
    assert len(reports) == 1
    # Nothing is scaled by itself.
    np.testing.assert_array_equal(before, after)


def test_a_source_that_was_bright_once_may_be_dark(reports: list[str]) -> None:
    source = PictureSource(reports.append)
    source.to_8_bits(picture(4096))
    for _ in range(2 * DARK_FRAMES):
        source.to_8_bits(picture(100))
    source.end()
    assert reports == []


def test_a_short_source_is_judged_at_its_end(reports: list[str]) -> None:
    source = PictureSource(reports.append)
    source.end()
    assert reports == []
    source.to_8_bits(picture(1000))
    source.end()
    assert 'no value of the first 1 is above 1000' in reports[0]


def test_a_changed_number_of_bits_is_judged_anew(reports: list[str]) -> None:
    source = PictureSource(reports.append)
    source.to_8_bits(picture(1000))
    source.bits = 10
    assert source.to_8_bits(picture(1023)).max() == 255
    source.end()
    assert reports == []
