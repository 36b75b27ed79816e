# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.sample_picture import pixels_to_store, sample_picture
import numpy as np
import pytest


def smooth(height: int, width: int) -> RgbArray:
    ramp = np.linspace(0, 250, height * width * 3).reshape(height, width, 3)
    return ramp.astype(np.uint8)


def stored(rgb: RgbArray, store_images: str) -> bytes | None:
    return sample_picture(LazyPicture(lambda: rgb), rgb, store_images)


def decoded(jpeg: bytes | None) -> RgbArray:
    assert jpeg is not None
    picture: RgbArray = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    return picture


def test_nothing_is_kept_by_default() -> None:
    assert stored(smooth(4, 4), 'none') is None


def test_all_of_a_cut_is_kept_in_its_colours() -> None:
    cut = smooth(400, 600)[10:370, 5:505]
    kept = decoded(stored(cut, 'full'))
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
    assert decoded(stored(smooth(*size), 'thumbnail')).shape[:2] == expected


def test_what_is_too_large_for_jpeg_is_rejected() -> None:
    with pytest.raises(ImageError, match='set store_images to thumbnail or none'):
        stored(np.zeros((1, 70000, 3), np.uint8), 'full')


def test_a_thumbnail_is_made_of_what_the_extractor_got_if_that_is_large_enough() -> None:
    picture = LazyPicture(lambda: smooth(1200, 1600))
    seen = smooth(240, 320)
    thumbnail = pixels_to_store(picture, None, seen, 'thumbnail')
    assert thumbnail is seen
    assert not picture.whole_bytes, 'the whole picture was not decoded'


def test_the_stored_picture_is_not_smaller_than_asked_for() -> None:
    picture = LazyPicture(lambda: smooth(1200, 1600))
    region, seen = Region(100, 200, 600, 600), smooth(300, 300)
    thumbnail = pixels_to_store(picture, region, seen, 'thumbnail')
    assert thumbnail is not None
    assert thumbnail.shape == (320, 320, 3)
    full = pixels_to_store(picture, region, seen, 'full')
    assert full is not None
    np.testing.assert_array_equal(full, smooth(1200, 1600)[200:800, 100:700])
