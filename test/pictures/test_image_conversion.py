# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Expected values come from numpy and from the definitions of the encodings, not from OpenCV."""

# Without `from __future__ import annotations`, with which pytest 6 cannot load a dataclass.

from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures import image_conversion
from edgetpu_retrain.pictures.image_conversion import check_image, image_to_rgb
from edgetpu_retrain.pictures.image_encodings import CONVERTED_ENCODINGS
from edgetpu_retrain.pictures.picture_source import PictureSource
import numpy as np
import numpy.typing as npt
import pytest

WIDTH, HEIGHT = 6, 4
RED, GREEN, BLUE = 200, 120, 40
NAME = re.compile('`([a-z0-9_]+)`')


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


@pytest.mark.parametrize('is_bigendian', [0, 1])
@pytest.mark.parametrize('encoding', ['rgb16', 'bgr16', 'rgba16', 'bgra16'])
def test_16_bit_colours_are_those_of_8_bits(
    picture: npt.NDArray[np.uint8], encoding: str, is_bigendian: int
) -> None:
    pixels = picture if encoding.startswith('rgb') else picture[..., ::-1]
    if 'a' in encoding:
        pixels = with_alpha(pixels)
    wide = (pixels * np.uint16(257)).astype('>u2' if is_bigendian else '<u2')
    message = message_of(wide, encoding, padding=2)
    message.is_bigendian = is_bigendian
    np.testing.assert_array_equal(image_to_rgb(message), picture)


@pytest.mark.parametrize('encoding', ['rgba8', 'bgra8', 'rgba16'])
def test_transparent_pixels_of_an_image_are_composited_on_grey(
    picture: npt.NDArray[np.uint8], encoding: str
) -> None:
    pixels = with_alpha(picture[..., ::-1] if encoding == 'bgra8' else picture)
    pixels[0, :, 3], pixels[1:, :, 3] = 0, 255
    pixels[1, 0, 3] = 51
    wide = pixels * np.uint16(257) if '16' in encoding else pixels
    reports: list[str] = []
    source = PictureSource(reports.append)
    for _ in range(2):
        rgb = image_to_rgb(message_of(wide, encoding), source)
    assert (rgb[0] == 128).all()
    np.testing.assert_array_equal(rgb[2:], picture[2:])
    np.testing.assert_array_equal(rgb[1, 0], np.rint(0.2 * picture[1, 0] + 0.8 * 128))
    (report,) = reports
    assert 'composited on grey (128)' in report


# The colours of the pixels (0, 0), (0, 1), (1, 0), (1, 1) of each pattern.
BAYER = {
    'bayer_rggb8': (RED, GREEN, GREEN, BLUE),
    'bayer_bggr8': (BLUE, GREEN, GREEN, RED),
    'bayer_gbrg8': (GREEN, BLUE, RED, GREEN),
    'bayer_grbg8': (GREEN, RED, BLUE, GREEN),
}


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('padding', [0, 4])
@pytest.mark.parametrize('encoding', BAYER)
def test_a_bayer_mosaic_of_one_colour_is_that_colour(
    encoding: str, padding: int, bits: int
) -> None:
    mosaic = np.empty((HEIGHT, WIDTH), np.uint8)
    mosaic[0::2, 0::2], mosaic[0::2, 1::2], mosaic[1::2, 0::2], mosaic[1::2, 1::2] = BAYER[
        encoding
    ]
    if bits == 16:
        mosaic = mosaic * np.uint16(257)
    name = encoding.replace('8', str(bits))
    rgb = image_to_rgb(message_of(mosaic, name, padding))
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


LUMA = np.array([[30, 60, 90, 120], [150, 180, 210, 235], [16, 50, 100, 150], [20, 70, 130, 200]])
U, V = np.array([[90, 140], [110, 128]]), np.array([[180, 120], [150, 100]])


def plane(encoding: str, step: int) -> npt.NDArray[np.uint8]:
    """Return the data of a 4 x 4 image: luma, then colour, padded with 0xEE."""
    if encoding in ('i420', 'yuv420'):
        # Two half rows, and their padding, take one row.
        half = np.full((2, 2, step // 2), 0xEE)
        half[0, :, :2], half[1, :, :2] = U, V
        colour = half.reshape(2, step)
    else:
        first, second = (V, U) if encoding == 'nv21' else (U, V)
        if encoding == 'nv24':
            first, second = (np.repeat(np.repeat(each, 2, 0), 2, 1) for each in (first, second))
        pairs = np.stack([first, second], axis=-1)
        colour = np.full((len(pairs) * pairs[0].size // 4, step), 0xEE)
        colour[:, :4] = pairs.reshape(-1, 4)
    if encoding == 'nv24' and step == 8:
        colour = np.full((8, 8), 0xEE)
        colour[:, :4] = pairs.reshape(8, 4)
    luma = np.full((4, step), 0xEE)
    luma[:, :4] = LUMA
    return np.vstack([luma, colour]).astype(np.uint8)


@pytest.mark.parametrize('encoding', ['nv12', 'nv21', 'i420', 'yuv420', 'nv24'])
@pytest.mark.parametrize('step', [4, 8])
def test_planes_of_luma_and_colour(encoding: str, step: int) -> None:
    data = plane(encoding, step)
    rgb = image_to_rgb(Message(4, 4, encoding, step, data.tobytes()))
    assert rgb.shape == (4, 4, 3)
    for row in range(4):
        for column in range(4):
            u, v = (each[row // 2, column // 2] for each in (U, V))
            expected = np.clip(limited_range_bt601(float(LUMA[row, column]), u, v), 0, 255)
            assert np.abs(rgb[row, column] - expected).max() <= 2


@pytest.mark.parametrize('step', [0, 6])
def test_a_driver_may_leave_step_0_or_count_the_rows_of_all_planes(step: int) -> None:
    data = plane('nv12', 4).tobytes()
    expected = image_to_rgb(Message(4, 4, 'nv12', 4, data))
    np.testing.assert_array_equal(image_to_rgb(Message(4, 4, 'nv12', step, data)), expected)


def test_step_0_is_taken_if_the_rows_are_not_padded(picture: npt.NDArray[np.uint8]) -> None:
    message = message_of(picture, 'rgb8')
    message.step = 0
    reports: list[str] = []
    source = PictureSource(reports.append)
    for _ in range(2):
        np.testing.assert_array_equal(image_to_rgb(message, source), picture)
    assert reports == ['step is 0: the rows of images are taken as unpadded']
    message.data += bytes(HEIGHT)
    with pytest.raises(ImageError, match='step is 0 bytes, but a row of 6 rgb8 pixels has 18'):
        check_image(message)


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
        ({'encoding': 'yuyv', 'width': 5}, 'an even width'),
        ({'encoding': 'nv12', 'height': 3}, '2 x 2 pixels share.*an even width and height'),
        ({'encoding': 'nv12', 'width': 18}, 'data has 72 bytes, but 6 rows of step 18, as nv12'),
        ({'encoding': 'i420', 'step': 7, 'data': bytes(42)}, 'step is 7 bytes.*must be even'),
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


def test_the_table_has_what_the_documentation_lists() -> None:
    page = (Path(__file__).parents[2] / 'docs' / 'interface.md').read_text(encoding='utf-8')
    section = page.split('## Image encodings\n')[1].split('\n## ')[0]
    table = section.split('| --- | --- |\n')[1].split('\n\n')[0]
    documented = {name for row in table.splitlines() for name in NAME.findall(row.split('|')[1])}
    assert documented == set(CONVERTED_ENCODINGS)


@pytest.mark.parametrize(
    ('given', 'meant'),
    [
        ('8UC1', 'mono8'),
        ('8UC3', 'bgr8'),
        ('8UC4', 'bgra8'),
        ('16UC3', 'bgr16'),
        ('16UC4', 'bgra16'),
        ('BGR8', 'bgr8'),
        ('bgr8 ', 'bgr8'),
        ('Mono8\0', 'mono8'),
        ('YUY2', 'yuyv'),
        ('NV12', 'nv12'),
    ],
)
def test_what_drivers_mean_by_a_name_is_reported_once(given: str, meant: str) -> None:
    dtype = np.uint16 if '16' in meant else np.uint8
    channels = {'bgr': 3, 'bgra': 4, 'mono': 1, 'yuyv': 2, 'nv': 1}[meant.rstrip('0123456789')]
    rows = 6 if meant == 'nv12' else 4
    values = np.random.default_rng(0).integers(0, 256, (rows, 4, channels)).astype(dtype)
    message = message_of(values, meant)
    message.height = 4
    expected = image_to_rgb(message)
    message.encoding = given
    reports: list[str] = []
    source = PictureSource(reports.append)
    for _ in range(2):
        np.testing.assert_array_equal(image_to_rgb(message, source), expected)
    assert reports[0] == f'encoding {given!r} is taken as {meant}'
    assert len(set(reports)) == len(reports)


@pytest.mark.parametrize(
    ('encoding', 'words'),
    [
        ('16UC1', r"'16UC1' is depth \(distances\), not a picture: subscribe to a colour"),
        ('32FC1', r"'32FC1' is depth \(distances\), not a picture"),
        ('32FC3', "'32FC3' is an array of numbers and none of rgb8"),
        ('8UC2', 'is an array of numbers'),
        ('h264', r'a packet of a video \(h264\).*image_transport republish'),
        ('jpeg', 'is a picture file, which belongs into a sensor_msgs/CompressedImage'),
        ('', "encoding '' is none of rgb8"),
        ('nv16', "encoding 'nv16' is none of rgb8, .*, nv24: make the camera send one of these"),
    ],
)
def test_an_encoding_that_is_not_converted_is_named_before_the_size_is_checked(
    encoding: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_conversion, 'has_cv_bridge', lambda: False)
    for width in (0, 6, 2**32 - 1):
        message = Message(HEIGHT, width, encoding, 1, b'')
        with pytest.raises(ImageError, match=words) as caught:
            check_image(message)
        assert 'cv_bridge' not in str(caught.value)
        with pytest.raises(ImageError, match=words):
            image_to_rgb(message)


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'width': 2**32 - 1, 'height': 2**32 - 1}, '4294967295 x 4294967295 pixels, more than'),
        ({'width': 40_000, 'height': 1}, 'a side is longer than 32767'),
        ({'encoding': '\x1b[2J' * 100_000}, r'\.\.\. \(400000 characters\) is none of'),
        ({'encoding': '8UC1', 'step': 5, 'data': bytes(20)}, 'a row of 6 mono8 pixels has 6'),
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
