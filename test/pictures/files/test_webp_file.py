# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.compressed_image import decode_picture
from edgetpu_retrain.pictures.files.webp_file import is_webp, MAX_CHUNKS, read_webp
import numpy as np
import numpy.typing as npt
import pytest

LOSSY, LOSSLESS = 90, 101


def webp(channels: int = 3, quality: int = LOSSLESS) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, channels), np.uint8)
    return bytes(cv2.imencode('.webp', pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes())


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack('<I', len(body)) + body + bytes(len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b'WEBP' + b''.join(chunks)
    return b'RIFF' + struct.pack('<I', len(body)) + body


def decoded(content: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED))


@pytest.mark.parametrize('channels', [3, 4])
@pytest.mark.parametrize('quality', [LOSSY, LOSSLESS])
def test_the_size_is_read_and_pixels_stay_as_they_are(channels: int, quality: int) -> None:
    content = webp(channels, quality)
    assert is_webp(content)
    file = read_webp(content)
    assert (file.width, file.height, file.orientation) == (9, 7, 1)
    np.testing.assert_array_equal(decoded(file.shown), decoded(content))


@pytest.mark.parametrize('quality', [LOSSY, LOSSLESS])
def test_chunks_that_pixels_do_not_need_are_left_out(quality: int) -> None:
    plain = webp(3, quality)
    # All flags: colour profile, EXIF and XMP.
    extended = chunk(b'VP8X', bytes([0x2C, 0, 0, 0]) + bytes([8, 0, 0, 6, 0, 0]))
    content = riff(
        extended, chunk(b'ICCP', b'abc'), plain[12:], chunk(b'EXIF', b''), chunk(b'XMP ', b'x')
    )
    assert read_webp(content).shown == read_webp(plain).shown == plain


def test_only_the_size_that_is_decoded_counts() -> None:
    content = bytearray(webp(4, LOSSY))
    canvas = content.index(b'VP8X') + 12
    expected = decoded(bytes(content))
    for position in range(canvas, canvas + 6):
        content[position] = 0xFF
    file = read_webp(bytes(content))
    assert (file.width, file.height) == (9, 7)
    np.testing.assert_array_equal(decoded(file.shown), expected)


def test_an_animation_is_rejected() -> None:
    extended = chunk(b'VP8X', bytes([2, 0, 0, 0]) + bytes([8, 0, 0, 6, 0, 0]))
    for content in (riff(extended, webp()[12:]), riff(chunk(b'ANMF', webp()[12:]))):
        with pytest.raises(ImageError, match='animated: save it as a single picture'):
            decode_picture(content)


@pytest.mark.parametrize(
    'content',
    [
        webp()[:-2],
        webp()[:20],
        riff(),
        riff(chunk(b'VP8X', bytes(10))),
        riff(chunk(b'VP8X', b'')),
        riff(chunk(b'VP8L', b'\x2f')),
        riff(chunk(b'VP8L', b'\x2e' + bytes(20))),
        riff(chunk(b'VP8 ', bytes(20))),
        riff(chunk(b'VP8L', bytes(20)))[:-8] + b'VP8 ',
    ],
)
def test_a_damaged_file_is_rejected(content: bytes) -> None:
    with pytest.raises(ImageError, match=r'the WEBP file .* is cut off or damaged: send it again'):
        decode_picture(content)


def test_a_file_of_too_many_chunks_is_rejected() -> None:
    with pytest.raises(ImageError, match='more than 1024 chunks'):
        read_webp(riff(*[chunk(b'junk', b'')] * MAX_CHUNKS, webp()[12:]))
