# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
import zlib

import cv2
from edgetpu_retrain.pictures.compressed_image import decode_picture
from edgetpu_retrain.pictures.files.orientation import exif_orientation, upright
import numpy as np
import numpy.typing as npt
import pytest


def exif(orientation: int, order: str = '<') -> bytes:
    """Return a TIFF directory with two entries, the second of which is the orientation."""
    begin = {'<': b'II*\0', '>': b'MM\0*'}[order]
    other = struct.pack(f'{order}HHII', 0x010F, 2, 4, 0)
    entry = struct.pack(f'{order}HHIHH', 0x0112, 3, 1, orientation, 0)
    return begin + struct.pack(f'{order}IH', 8, 2) + other + entry


def stored(upright_picture: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Return the picture as a camera stores it; found by trying all flips and rotations."""
    if orientation >= 5:
        upright_picture = upright_picture.swapaxes(0, 1)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (0,), 7: (0, 1), 8: (1,)}.get(orientation, ())
    return np.ascontiguousarray(np.flip(upright_picture, flips))


@pytest.fixture
def picture() -> npt.NDArray[np.uint8]:
    return np.linspace(0, 250, 40 * 60 * 3).reshape(40, 60, 3).astype(np.uint8)


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_all_orientations_are_read_as_opencv_does(
    picture: npt.NDArray[np.uint8], orientation: int, order: str
) -> None:
    data = exif(orientation, order)
    assert exif_orientation(data) == orientation
    assert exif_orientation(b'Exif\0\0' + data) == orientation
    content = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    segment = b'Exif\0\0' + data
    jpeg = content[:2] + b'\xff\xe1' + struct.pack('>H', len(segment) + 2) + segment + content[2:]
    turned = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    plain = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(upright(plain, orientation), turned)


@pytest.mark.parametrize('alpha', [False, True])
@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ['png', 'webp'])
def test_a_png_or_webp_is_turned_upright(
    picture: npt.NDArray[np.uint8], kind: str, orientation: int, *, alpha: bool
) -> None:
    pixels = stored(picture, orientation)
    expected = picture
    if alpha:
        mask = np.full(picture.shape[:2], 255, np.uint8)
        mask[:20, :30] = 0
        pixels = np.dstack([pixels, stored(mask, orientation)])
        expected = picture.copy()
        expected[:20, :30] = 128
    content = cv2.imencode(f'.{kind}', pixels, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    data = exif(orientation)
    if kind == 'png':
        checksum = struct.pack('>I', zlib.crc32(b'eXIf' + data))
        content = content[:33] + struct.pack('>I', len(data)) + b'eXIf' + data + checksum
        content += cv2.imencode('.png', pixels)[1].tobytes()[33:]
    else:
        content += b'EXIF' + struct.pack('<I', len(data)) + data
        content = b'RIFF' + struct.pack('<I', len(content) - 8) + content[8:]
    np.testing.assert_array_equal(decode_picture(content), expected[..., ::-1])


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'II*\0',
        b'XX*\0' + bytes(20),
        b'II*\0' + struct.pack('<I', 2**32 - 1) + bytes(20),
        exif(6)[:-6],
        exif(0),
        exif(9),
    ],
)
def test_damaged_data_leave_the_picture_as_it_is(data: bytes) -> None:
    assert exif_orientation(data) == 1
