# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.page.video.encoding import encode, width_for, WIDTHS
from edgetpu_retrain.pictures.picture_source import PictureSource
import numpy as np
import numpy.typing as npt
import pytest

# Red above, blue below.
PICTURE = np.zeros((480, 640, 3), np.uint8)
PICTURE[:240, :, 0] = PICTURE[240:, :, 2] = 200


def raw(picture: npt.NDArray[np.uint8]) -> Any:
    height, width = picture.shape[:2]
    return SimpleNamespace(
        height=height,
        width=width,
        encoding='rgb8',
        is_bigendian=0,
        step=3 * width,
        data=picture.tobytes(),
    )


def compressed(picture: npt.NDArray[np.uint8], kind: str = 'jpg') -> Any:
    content = cv2.imencode(f'.{kind}', picture[..., ::-1])[1].tobytes()
    return SimpleNamespace(format=kind, data=content)


def decoded(content: bytes) -> npt.NDArray[Any]:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR))[..., ::-1]


@pytest.mark.parametrize(
    ('shown', 'width'),
    [(0, 160), (-5, 160), (160, 160), (161, 320), (700, 960), (1e9, 1920), (float('inf'), 1920)],
)
def test_a_picture_has_the_pixels_that_are_shown(shown: float, width: int) -> None:
    assert width_for(shown) == width
    assert width in WIDTHS


@pytest.mark.parametrize('is_compressed', [False, True])
@pytest.mark.parametrize(('width', 'size'), [(320, (320, 240)), (1280, (640, 480))])
def test_a_picture_is_scaled_down_and_not_up(
    is_compressed: bool, width: int, size: tuple[int, int]
) -> None:
    message = compressed(PICTURE) if is_compressed else raw(PICTURE)
    jpeg = encode(message, width, source=PictureSource(), is_compressed=is_compressed)
    assert (jpeg.width, jpeg.height) == size
    pixels = decoded(jpeg.content)
    assert pixels.shape == (size[1], size[0], 3)
    assert np.abs(pixels[5, 5].astype(int) - [200, 0, 0]).max() < 12
    assert np.abs(pixels[-5, 5].astype(int) - [0, 0, 200]).max() < 12


def test_a_tall_picture_is_as_wide_as_asked() -> None:
    tall = np.ascontiguousarray(PICTURE.transpose(1, 0, 2))
    assert encode(raw(tall), 320, source=PictureSource(), is_compressed=False).width == 320
    assert encode(compressed(tall), 320, source=PictureSource(), is_compressed=True).width == 320


def test_a_jpeg_file_of_the_right_size_is_sent_as_it_is() -> None:
    message = compressed(PICTURE)
    jpeg = encode(message, 640, source=PictureSource(), is_compressed=True)
    assert jpeg.content == message.data
    other = encode(compressed(PICTURE, 'png'), 640, source=PictureSource(), is_compressed=True)
    assert other.content.startswith(b'\xff\xd8')


def test_what_is_no_picture_raises() -> None:
    damaged = SimpleNamespace(format='jpeg', data=b'<script>')
    with pytest.raises(ImageError):
        encode(damaged, 640, source=PictureSource(), is_compressed=True)
    short = raw(PICTURE)
    short.data = short.data[:-1]
    with pytest.raises(ImageError):
        encode(short, 640, source=PictureSource(), is_compressed=False)
