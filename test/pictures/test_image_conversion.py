# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Expected values come from numpy and from the definitions of the encodings, not from OpenCV."""

# Without `from __future__ import annotations`, with which pytest 6 cannot load a dataclass.

from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.image_conversion import (
    check_image,
    convert_colours,
    CONVERTED_ENCODINGS,
    image_to_rgb,
)
import numpy as np
import numpy.typing as npt
import pytest

WIDTH, HEIGHT = 6, 4
RED, GREEN, BLUE = 200, 120, 40


@dataclass
class Message:
    """The fields of sensor_msgs/Image."""

    height: int
    width: int
    encoding: str
    step: int
    data: Any
    is_bigendian: int = 0


def message_of(pixels: npt.NDArray[Any], encoding: str, padding: int = 0) -> Message:
    """Return an image message with this many padding bytes after each row."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(height, -1)
    rubbish = np.full((height, padding), 0xEE, np.uint8)
    data = np.hstack([rows, rubbish])
    return Message(height, width, encoding, data.shape[1], data.tobytes())


@pytest.fixture
def picture() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def with_alpha(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.dstack([pixels, np.full(pixels.shape[:2], 17, np.uint8)])


@pytest.mark.parametrize('padding', [0, 1, 13])
@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'bgra8'])
def test_colours_come_out_in_the_order_rgb(
    picture: npt.NDArray[np.uint8], encoding: str, padding: int
) -> None:
    pixels = picture if encoding.startswith('rgb') else picture[..., ::-1]
    if 'a' in encoding:
        pixels = with_alpha(pixels)
    rgb = image_to_rgb(message_of(pixels, encoding, padding))
    assert rgb.dtype == np.uint8
    np.testing.assert_array_equal(rgb, picture)


@pytest.mark.parametrize('padding', [0, 5])
def test_rgb8_is_not_copied(picture: npt.NDArray[np.uint8], padding: int) -> None:
    message = message_of(picture, 'rgb8', padding)
    message.data = bytearray(message.data)
    rgb = image_to_rgb(message)
    assert np.shares_memory(rgb, np.frombuffer(message.data, np.uint8))


@pytest.mark.parametrize('padding', [0, 1])
def test_mono8_is_grey(picture: npt.NDArray[np.uint8], padding: int) -> None:
    grey = picture[..., 0]
    rgb = image_to_rgb(message_of(grey, 'mono8', padding))
    np.testing.assert_array_equal(rgb, np.dstack([grey, grey, grey]))


@pytest.mark.parametrize('padding', [0, 1, 4])
@pytest.mark.parametrize('is_bigendian', [0, 1])
def test_mono16_is_scaled_from_its_whole_range(is_bigendian: int, padding: int) -> None:
    values = np.array(
        [[0, 128, 129, 257, 3000, 32767], [32768, 40000, 65279, 65280, 65534, 65535]]
    )
    pixels = values.astype('>u2' if is_bigendian else '<u2')
    message = message_of(pixels, 'mono16', padding)
    message.is_bigendian = is_bigendian
    rgb = image_to_rgb(message)
    expected = np.rint(values / 257).astype(np.uint8)
    np.testing.assert_array_equal(rgb, np.dstack([expected] * 3))


# The colours of the pixels (0, 0), (0, 1), (1, 0), (1, 1) of each pattern.
BAYER = {
    'bayer_rggb8': (RED, GREEN, GREEN, BLUE),
    'bayer_bggr8': (BLUE, GREEN, GREEN, RED),
    'bayer_gbrg8': (GREEN, BLUE, RED, GREEN),
    'bayer_grbg8': (GREEN, RED, BLUE, GREEN),
}


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', BAYER)
def test_a_bayer_mosaic_of_one_colour_is_that_colour(encoding: str, padding: int) -> None:
    mosaic = np.empty((HEIGHT, WIDTH), np.uint8)
    mosaic[0::2, 0::2], mosaic[0::2, 1::2], mosaic[1::2, 0::2], mosaic[1::2, 1::2] = BAYER[
        encoding
    ]
    rgb = image_to_rgb(message_of(mosaic, encoding, padding))
    np.testing.assert_array_equal(rgb, np.broadcast_to([RED, GREEN, BLUE], rgb.shape))


def limited_range_bt601(y: float, u: float, v: float) -> tuple[float, float, float]:
    """ITU-R BT.601 with luma from 16 to 235, what UYVY and YUY2 carry in video."""
    luma = (y - 16) * 255 / 219
    red = luma + (v - 128) * 255 / 112 * 0.701
    blue = luma + (u - 128) * 255 / 112 * 0.886
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return red, green, blue


@pytest.mark.parametrize('padding', [0, 2])
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [
        ('yuv422', 'uyvy'),
        ('uyvy', 'uyvy'),
        ('yuv422_yuy2', 'yuyv'),
        ('yuyv', 'yuyv'),
    ],
)
def test_yuv422_in_both_byte_orders(encoding: str, order: str, padding: int) -> None:
    luma, u, v = (110, 140), 90, 180
    values = {'u': [u], 'v': [v], 'y': list(luma)}
    pair = [values[letter].pop(0) for letter in order]
    pixels = np.tile(np.array(pair, np.uint8).reshape(1, 2, 2), (2, 2, 1))
    rgb = image_to_rgb(message_of(pixels, encoding, padding))
    expected = [limited_range_bt601(y, u, v) for y in luma]
    assert np.abs(rgb[0, :2].astype(float) - expected).max() <= 2


def broken(picture: npt.NDArray[np.uint8], **changes: Any) -> Message:
    message = message_of(picture, 'bgr8')
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'step': WIDTH * 3 - 1, 'data': bytes((WIDTH * 3 - 1) * HEIGHT)}, 'step is 17 bytes'),
        ({'data': bytes(5)}, 'data has 5 bytes'),
        ({'data': b''}, 'data has 0 bytes'),
        ({'height': HEIGHT + 1}, 'data has 72 bytes'),
        ({'width': WIDTH + 1}, 'row of 7 bgr8 pixels has 21'),
        ({'width': 0}, '0 x 4 pixels'),
        ({'height': 0, 'data': b''}, '6 x 0 pixels'),
        ({'encoding': 'yuyv', 'width': 5}, 'even width'),
        ({'encoding': 'bayer_rggb8', 'height': 2, 'data': bytes(36)}, 'needs 3 x 3'),
    ],
)
def test_an_inconsistent_message_is_rejected(
    picture: npt.NDArray[np.uint8], changes: dict[str, Any], words: str
) -> None:
    message = broken(picture, **changes)
    with pytest.raises(ImageError, match=words):
        check_image(message)
    with pytest.raises(ImageError, match=words):
        image_to_rgb(message)


def test_an_encoding_out_of_the_table_names_the_debian_package(
    picture: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    message = broken(picture, encoding='8UC3')
    check_image(message)
    with pytest.raises(ImageError, match='sudo apt install ros-jazzy-cv-bridge'):
        image_to_rgb(message)


STAND_IN_FOR_CV_BRIDGE = """
import numpy as np

class CvBridge:
    def imgmsg_to_cv2(self, message, desired_encoding='passthrough'):
        assert desired_encoding == 'rgb8'
        if message.encoding != '8UC3':
            raise RuntimeError('[%s] is not a color format' % message.encoding)
        shape = message.height, message.width, 3
        return np.frombuffer(message.data, np.uint8).reshape(shape)
"""


def test_an_encoding_out_of_the_table_goes_through_cv_bridge(
    picture: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / 'cv_bridge.py').write_text(STAND_IN_FOR_CV_BRIDGE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'cv_bridge', raising=False)
    np.testing.assert_array_equal(image_to_rgb(broken(picture, encoding='8UC3')), picture[..., :])
    with pytest.raises(ImageError, match=r'cv_bridge cannot convert.*not a color format'):
        image_to_rgb(broken(picture, encoding='16UC1'))
    monkeypatch.delitem(sys.modules, 'cv_bridge')


def test_the_table_has_what_the_readme_promises() -> None:
    assert set(CONVERTED_ENCODINGS) == {
        *('rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'mono16', *BAYER),
        *('yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv'),
    }


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'width': 2**32 - 1, 'height': 2**32 - 1}, '4294967295 x 4294967295 pixels, more than'),
        ({'width': 40_000, 'height': 1}, 'a side is longer than 32767'),
        ({'encoding': '\x1b[2J' * 100_000}, r'\.\.\. \(400000 characters\) has more than 32'),
        ({'encoding': '8UC1', 'step': 5, 'data': bytes(20)}, 'step is 5 bytes, but a row has 6'),
    ],
)
def test_an_image_beyond_the_limits_is_rejected(
    picture: npt.NDArray[np.uint8], fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        image_to_rgb(broken(picture, **fields))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_an_image_whose_rows_are_mostly_padding_is_rejected(
    picture: npt.NDArray[np.uint8],
) -> None:
    step = 256 * 1024 * 1024
    # Never accessed, so it takes no memory.
    message = broken(picture, height=3, step=step, data=bytes(3 * step))
    with pytest.raises(ImageError, match='has 805306368 bytes, more than 536870912'):
        check_image(message)


@pytest.mark.parametrize('size', [(1, 1), (1, 2), (2, 1), (3, 5)])
def test_pictures_of_every_size_change_their_colours(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    np.testing.assert_array_equal(convert_colours(rgb, cv2.COLOR_BGR2RGB), rgb[..., ::-1])
