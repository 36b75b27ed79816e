# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that are decoded as large as a model needs them."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import cv2
from edgetpu_retrain.demo.photographs import read_photograph
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.pictures.region import Region
import numpy as np
import pytest

# No side is a multiple of a reduction.
WIDTH, HEIGHT = 645, 483


@pytest.fixture(scope='module')
def photograph() -> RgbArray:
    resized = cv2.resize(read_photograph('coffee'), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


def file_of(picture: RgbArray, kind: str = '.jpg') -> bytes:
    return bytes(cv2.imencode(kind, picture[..., ::-1])[1].tobytes())


def rotated_file(picture: RgbArray, orientation: int) -> bytes:
    """Return a JPEG file with an orientation of EXIF: a TIFF directory with this entry only."""
    entry = struct.pack('<IHHHIHHI', 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    content = b'Exif\0\0II*\0' + entry
    segment = b'\xff\xe1' + struct.pack('>H', len(content) + 2) + content
    jpeg = file_of(picture)
    return jpeg[:2] + segment + jpeg[2:]


def resized(picture: RgbArray, like: RgbArray) -> RgbArray:
    size = like.shape[1], like.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def difference(one: RgbArray, other: RgbArray) -> float:
    """Return the mean difference of two pictures."""
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize(
    ('side', 'shape'),
    [
        (242, (483, 645)),
        (241, (242, 323)),
        (121, (242, 323)),
        (120, (121, 162)),
        (60, (61, 81)),
        (8, (61, 81)),
    ],
)
def test_a_model_gets_a_jpeg_no_larger_than_it_needs(
    photograph: RgbArray, side: int, shape: tuple[int, int]
) -> None:
    picture = LazyPicture.from_file(file_of(photograph))
    seen = picture.for_model(side)
    assert seen.shape == (*shape, 3)
    assert difference(seen, resized(picture.whole, seen)) < 6
    assert picture.whole.shape == photograph.shape


def test_only_a_jpeg_is_reduced(photograph: RgbArray) -> None:
    height, width = photograph.shape[:2]
    raw = SimpleNamespace(
        height=height,
        width=width,
        encoding='rgb8',
        is_bigendian=0,
        step=3 * width,
        data=photograph.tobytes(),
    )
    for picture in (
        LazyPicture.from_file(file_of(photograph, '.png')),
        LazyPicture.from_image(raw),
    ):
        assert picture.for_model(60) is picture.whole
        np.testing.assert_array_equal(picture.whole, photograph)
        region = Region(100, 50, 400, 300)
        seen = picture.for_model(60, region)
        assert np.shares_memory(seen, picture.whole)
        np.testing.assert_array_equal(seen, photograph[50:350, 100:500])


def test_a_file_and_a_message_give_the_same(photograph: RgbArray) -> None:
    content, region = file_of(photograph), Region(7, 9, 500, 400)
    file = LazyPicture.from_file(content)
    message = LazyPicture.from_compressed_image(SimpleNamespace(format='jpeg', data=content))
    for part in (None, region):
        np.testing.assert_array_equal(file.for_model(60, part), message.for_model(60, part))


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('side', [150, 70, 30])
def test_a_region_is_that_of_the_upright_whole_picture(
    photograph: RgbArray, orientation: int, side: int
) -> None:
    picture = LazyPicture.from_file(rotated_file(photograph, orientation))
    height, width = picture.whole.shape[:2]
    assert ((height, width) == (HEIGHT, WIDTH)) == (orientation < 5)
    # To the edges of the picture.
    region = Region(width - 331, height - 307, 331, 307)
    seen = picture.for_model(side, region)
    factor = {150: 2, 70: 4, 30: 8}[side]
    assert side <= min(seen.shape[:2]) <= 307 / factor + 2
    assert difference(seen, resized(picture.part(region), seen)) < 8
    for beyond in (Region(width - 330, 0, 331, 307), Region(0, height - 306, 331, 307)):
        with pytest.raises(ImageError, match=f'beyond the image of {width}x{height} pixels'):
            picture.for_model(side, beyond)


def test_a_region_of_a_picture_whose_rotation_cannot_be_seen_is_not_reduced(
    photograph: RgbArray,
) -> None:
    # At half the size, both sides have 242 pixels.
    for orientation, size in ((1, (484, 483)), (6, (483, 484))):
        picture = LazyPicture.from_file(rotated_file(photograph[:, :484], orientation))
        width, height = size
        region = Region(0, 0, width, height)
        np.testing.assert_array_equal(picture.for_model(200, region), picture.whole)
        assert picture.for_model(200).shape == (242, 242, 3)
        with pytest.raises(ImageError, match='beyond'):
            picture.for_model(200, Region(0, 0, height, width))


def test_a_damaged_file_is_rejected(photograph: RgbArray) -> None:
    for content in (file_of(photograph)[:-400], b'', b'no picture'):
        with pytest.raises(ImageError):
            LazyPicture.from_file(content).for_model(60)
