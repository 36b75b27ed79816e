# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
import tracemalloc
from types import SimpleNamespace
from typing import Any
import zlib

import cv2
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.compressed_image import (
    check_compressed_image,
    check_picture,
    decode_picture,
)
from edgetpu_retrain.pictures.image_conversion import MAX_PIXELS
from edgetpu_retrain.pictures.png_file import UNCHECKED_BYTES, without_extras
import numpy as np
import numpy.typing as npt
import pytest


@pytest.fixture
def picture() -> npt.NDArray[np.uint8]:
    smooth = np.linspace(0, 250, 48 * 64 * 3).reshape(48, 64, 3)
    return smooth.astype(np.uint8)


def file_of(picture: npt.NDArray[np.uint8], kind: str, *options: int) -> bytes:
    written, content = cv2.imencode(f'.{kind}', picture[..., ::-1], options)
    assert written
    return bytes(content.tobytes())


def jpeg_of(picture: npt.NDArray[np.uint8]) -> bytes:
    return file_of(picture, 'jpg', cv2.IMWRITE_JPEG_QUALITY, 95)


def with_segment(jpeg: bytes, content: bytes) -> bytes:
    """Insert an APP1 segment with EXIF data at the beginning of a JPEG file."""
    segment = b'\xff\xe1' + struct.pack('>H', len(content) + 2) + content
    return jpeg[:2] + segment + jpeg[2:]


def test_png_comes_out_as_it_was(picture: npt.NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(decode_picture(file_of(picture, 'png')), picture)


@pytest.mark.parametrize('progressive', [False, True])
def test_jpeg_comes_out_in_rgb(picture: npt.NDArray[np.uint8], *, progressive: bool) -> None:
    content = file_of(picture, 'jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive))
    decoded = decode_picture(content)
    assert decoded.shape == picture.shape
    assert np.abs(decoded.astype(int) - picture).max() < 12


def test_a_picture_is_turned_upright(picture: npt.NDArray[np.uint8]) -> None:
    # One TIFF directory with one entry: tag Orientation, type SHORT, 6 = turn right by 90 degrees.
    exif = b'Exif\0\0II*\0' + struct.pack('<IHHHIHHI', 8, 1, 0x0112, 3, 1, 6, 0, 0)
    content = with_segment(jpeg_of(picture), exif)
    turned = np.rot90(picture, k=-1).astype(int)
    assert np.abs(decode_picture(content) - turned).max() < 12


@pytest.mark.parametrize('kind', ['png', 'jpg'])
def test_a_truncated_file_is_rejected(picture: npt.NDArray[np.uint8], kind: str) -> None:
    content = file_of(picture, kind)
    for length in (4, 20, len(content) // 2, len(content) - 20):
        with pytest.raises(ImageError, match=r'cut off|damaged|cannot be decoded|neither'):
            decode_picture(content[:length])


def test_a_thumbnails_end_marker_is_not_mistaken_for_the_end(
    picture: npt.NDArray[np.uint8],
) -> None:
    thumbnail = jpeg_of(picture)
    content = with_segment(jpeg_of(picture), thumbnail)
    assert decode_picture(content).shape == picture.shape
    with pytest.raises(ImageError, match='cut off'):
        check_picture(content[:-20])


@pytest.mark.parametrize('content', [b'', b'GIF89a' + bytes(60), b'no picture at all'])
def test_other_kinds_of_files_are_rejected(content: bytes) -> None:
    with pytest.raises(ImageError, match='neither JPEG nor PNG'):
        decode_picture(content)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    checksum = zlib.crc32(kind + data)
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', checksum)


def png_bomb(width: int, height: int) -> bytes:
    """Return a valid PNG of a few kilobytes that declares any size; its rows are black."""
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b''.join(packer.compress(bytes(1 + 3 * width)) for _ in range(min(height, 50)))
    body = chunk(b'IHDR', header) + chunk(b'IDAT', rows + packer.flush()) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + body


def test_a_decompression_bomb_is_rejected_before_it_is_decoded() -> None:
    bomb = png_bomb(30000, 30000)
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match='30000 x 30000 pixels, more than 64 megapixels'):
            decode_picture(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert MAX_PIXELS < 30000 * 30000


def test_a_jpeg_bomb_is_rejected_by_its_header(picture: npt.NDArray[np.uint8]) -> None:
    content = bytearray(jpeg_of(picture))
    struct.pack_into('>HH', content, content.index(b'\xff\xc0') + 5, 65000, 65000)
    with pytest.raises(ImageError, match='65000 x 65000 pixels'):
        check_picture(bytes(content))


def test_a_picture_without_pixels_is_rejected() -> None:
    with pytest.raises(ImageError, match='0 x 7 pixels'):
        check_picture(png_bomb(0, 7))


def test_a_side_beyond_opencvs_limit_is_rejected() -> None:
    with pytest.raises(ImageError, match='32768 x 1 pixels, and a side is longer than 32767'):
        check_picture(png_bomb(32768, 1))


def test_few_bytes_cannot_be_many_pixels() -> None:
    with pytest.raises(ImageError, match='bytes cannot hold'):
        check_picture(png_bomb(8000, 8000))
    header = struct.pack('>IIBBBBB', 4000, 4000, 1, 0, 0, 0, 0)
    black = zlib.compress(bytes(4000 * 501), 9)
    content = chunk(b'IHDR', header) + chunk(b'IDAT', black) + chunk(b'IEND', b'')
    with pytest.raises(ImageError, match='more than 2048 a byte is no photograph'):
        check_picture(b'\x89PNG\r\n\x1a\n' + content)


def test_a_flat_photograph_is_no_bomb() -> None:
    for shape in ((2400, 3200, 3), (2400, 3200)):
        flat = np.full(shape, 200, np.uint8)
        for kind in ('jpg', 'png'):
            content = cv2.imencode(f'.{kind}', flat)[1].tobytes()
            assert decode_picture(content).shape == (2400, 3200, 3)


def test_texts_in_a_png_are_never_inflated(picture: npt.NDArray[np.uint8]) -> None:
    content = file_of(picture, 'png')
    text = chunk(b'zTXt', b'key\0\0' + zlib.compress(bytes(4_000_000)))
    other = chunk(b'acTL', struct.pack('>II', 2**31 - 1, 0))
    # The header ends after 33 bytes.
    stuffed = content[:33] + text * 3 + other + content[33:]
    assert without_extras(stuffed) == content
    np.testing.assert_array_equal(decode_picture(stuffed), picture)


def test_a_png_with_more_pixels_than_it_declares_is_rejected() -> None:
    header = struct.pack('>IIBBBBB', 8, 8, 8, 2, 0, 0, 0)
    body = chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(bytes(100_000_000), 9))
    content = b'\x89PNG\r\n\x1a\n' + body + chunk(b'IEND', b'')
    with pytest.raises(ImageError, match='holds more pixels than the 8 x 8 that it declares'):
        decode_picture(content)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_large_png_files_of_all_kinds_are_taken(dtype: type, channels: int) -> None:
    noise: npt.NDArray[Any] = (
        np.random.default_rng(0).integers(0, 255, (300, 400, channels)).astype(dtype)
    )
    content = cv2.imencode('.png', noise)[1].tobytes()
    assert len(content) > UNCHECKED_BYTES
    assert decode_picture(content).shape == (300, 400, 3)


def test_a_png_of_too_many_chunks_is_rejected(picture: npt.NDArray[np.uint8]) -> None:
    content = file_of(picture, 'png')
    with pytest.raises(ImageError, match='more than 65536 chunks'):
        check_picture(content[:33] + chunk(b'tEXt', b'') * 65536 + content[33:])


def test_a_jpeg_of_too_many_scans_is_rejected(picture: npt.NDArray[np.uint8]) -> None:
    content = file_of(picture, 'jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    check_picture(content)
    last = content.rindex(b'\xff\xda')
    with pytest.raises(ImageError, match=r'has \d+ scans, more than 32'):
        check_picture(content[:last] + content[last:-2] * 32 + b'\xff\xd9')


def test_a_jpeg_with_too_many_markers_is_rejected(picture: npt.NDArray[np.uint8]) -> None:
    content = jpeg_of(picture)
    with pytest.raises(ImageError, match='cut off or damaged'):
        check_picture(content[:2] + b'\xff' * 5000 + content[2:])
    check_picture(content[:2] + b'\xff' * 1000 + content[2:])


def test_a_message_of_too_many_bytes_is_rejected() -> None:
    message = SimpleNamespace(data=bytes(64 * 1024 * 1024 + 1))
    with pytest.raises(ImageError, match='has 67108865 bytes, more than 67108864'):
        check_compressed_image(message)
