# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
import re
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
from edgetpu_retrain.pictures.files.png_file import read_png, UNCHECKED_BYTES
from edgetpu_retrain.pictures.image_conversion import image_to_rgb, MAX_PIXELS
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
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


def test_webp_without_loss_comes_out_as_it_was(picture: npt.NDArray[np.uint8]) -> None:
    content = file_of(picture, 'webp', cv2.IMWRITE_WEBP_QUALITY, 101)
    np.testing.assert_array_equal(decode_picture(content), picture)


def test_webp_with_loss_comes_out_in_rgb(picture: npt.NDArray[np.uint8]) -> None:
    decoded = decode_picture(file_of(picture, 'webp', cv2.IMWRITE_WEBP_QUALITY, 90))
    assert decoded.shape == picture.shape
    assert np.abs(decoded.astype(int) - picture).max() < 12


@pytest.mark.parametrize('quality', [90, 101])
def test_a_webp_of_one_colour_is_no_bomb(quality: int) -> None:
    for shape in ((1, 1, 3), (1080, 1920, 3)):
        flat = np.full(shape, 200, np.uint8)
        content = file_of(flat, 'webp', cv2.IMWRITE_WEBP_QUALITY, quality)
        assert (decode_picture(content) == 200).all()
    header = bytearray(content)
    where = header.index(b'VP8')
    if quality == 101:
        # 16384 x 3900 pixels: width and height less one, 14 bits each.
        struct.pack_into('<I', header, where + 9, 16383 | 3899 << 14)
    else:
        struct.pack_into('<HH', header, where + 14, 16383, 3900)
    with pytest.raises(ImageError, match='more than 2048 a byte is no photograph'):
        check_picture(bytes(header))


@pytest.mark.parametrize(
    ('kind', 'dtype'), [('png', np.uint8), ('png', np.uint16), ('webp', np.uint8)]
)
def test_transparent_pixels_of_a_file_are_composited_on_grey(
    picture: npt.NDArray[np.uint8], kind: str, dtype: type
) -> None:
    alpha = np.full(picture.shape[:2], 255, np.uint8)
    alpha[:24] = 0
    wide = np.iinfo(dtype).max // 255
    pixels = np.dstack([picture[..., ::-1], alpha]).astype(dtype) * dtype(wide)
    content = cv2.imencode(f'.{kind}', pixels)[1].tobytes()
    reports: list[str] = []
    source = PictureSource(reports.append)
    for _ in range(2):
        decoded = decode_picture(content, source)
    assert (decoded[:24] == 128).all()
    assert np.abs(decoded[24:].astype(int) - picture[24:]).max() <= 1
    (report,) = reports
    assert 'composited on grey (128)' in report


def test_alpha_of_an_opaque_picture_changes_nothing(picture: npt.NDArray[np.uint8]) -> None:
    reports: list[str] = []
    pixels = np.dstack([picture[..., ::-1], np.full(picture.shape[:2], 255, np.uint8)])
    content = cv2.imencode('.png', pixels)[1].tobytes()
    np.testing.assert_array_equal(decode_picture(content, PictureSource(reports.append)), picture)
    assert reports == []


@pytest.mark.parametrize(
    ('depth', 'colour', 'row', 'chunks'),
    [
        (8, 0, bytes([7, 20, 7]), [(b'tRNS', struct.pack('>H', 20))]),
        (16, 0, struct.pack('>3H', 1799, 20000, 1799), [(b'tRNS', struct.pack('>H', 20000))]),
        (8, 2, bytes([7, 7, 7, 1, 2, 3, 7, 7, 7]), [(b'tRNS', struct.pack('>3H', 1, 2, 3))]),
        (8, 3, bytes([0, 1, 0]), [(b'PLTE', bytes([7, 7, 7, 1, 2, 3])), (b'tRNS', b'\xff\0')]),
    ],
    ids=['grey', 'grey of 16 bits', 'colours', 'palette'],
)
def test_a_transparent_value_is_composited_on_grey(
    depth: int, colour: int, row: bytes, chunks: list[tuple[bytes, bytes]]
) -> None:
    header = struct.pack('>IIBBBBB', 3, 1, depth, colour, 0, 0, 0)
    body = [(b'IHDR', header), *chunks, (b'IDAT', zlib.compress(b'\0' + row)), (b'IEND', b'')]
    content = b'\x89PNG\r\n\x1a\n' + b''.join(chunk(*each) for each in body)
    np.testing.assert_array_equal(decode_picture(content)[0], [[7] * 3, [128] * 3, [7] * 3])


@pytest.mark.parametrize('bits', [10, 16])
def test_a_png_of_16_bits_is_the_same_as_an_image(bits: int) -> None:
    values = np.random.default_rng(0).integers(0, 2**bits, (6, 8)).astype(np.uint16)
    for pixels, encoding in ((values, 'mono16'), (np.dstack([values, values // 2, values]), '')):
        height, width = values.shape
        message = SimpleNamespace(
            height=height,
            width=width,
            encoding=encoding or 'bgr16',
            step=pixels[0].nbytes,
            is_bigendian=0,
            data=pixels.tobytes(),
        )
        content = cv2.imencode('.png', pixels)[1].tobytes()
        expected = image_to_rgb(message, PictureSource(bits=bits))
        np.testing.assert_array_equal(decode_picture(content, PictureSource(bits=bits)), expected)


@pytest.mark.parametrize(
    'text', ['16UC1; compressedDepth', '32FC1; compressedDepth rvl', '16UC1; png compressed ']
)
def test_compressed_depth_is_no_picture(text: str, picture: npt.NDArray[np.uint8]) -> None:
    message = SimpleNamespace(format=text, data=file_of(picture, 'png'))
    for read in (
        lambda: check_compressed_image(message),
        lambda: LazyPicture.from_compressed_image(message).whole,
        lambda: LazyPicture.from_compressed_image(message).for_model(8),
    ):
        with pytest.raises(ImageError, match=r'is depth \(distances\).*subscribe to a colour'):
            read()


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


@pytest.mark.parametrize('kind', ['png', 'jpg', 'webp'])
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


@pytest.mark.parametrize('content', [b'', b'RIFF', b'no picture at all'])
def test_other_kinds_of_files_are_rejected(content: bytes) -> None:
    with pytest.raises(ImageError, match='neither JPEG, PNG nor WEBP'):
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
    assert read_png(stuffed).shown == content
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


@pytest.mark.parametrize(
    'junk',
    [b'\0\0', b'Photoshop', b'\xff\0\xff\0', b'\0\xff\xff\xff', bytes(50_000)],
    ids=['zeros', 'text', 'stuffed', 'fill bytes', 'much'],
)
def test_junk_between_the_segments_of_a_jpeg_is_skipped(
    picture: npt.NDArray[np.uint8], junk: bytes
) -> None:
    content = jpeg_of(picture)
    expected = decode_picture(content)
    for marker in (b'\xff\xdb', b'\xff\xc0'):
        begin = content.index(marker)
        damaged = content[:begin] + junk + content[begin:]
        np.testing.assert_array_equal(decode_picture(damaged), expected)
        with pytest.raises(ImageError, match='cut off'):
            check_picture(damaged[:-20])


@pytest.mark.parametrize('length', [0, 1, 7])
def test_a_segment_with_a_wrong_length_is_skipped(
    picture: npt.NDArray[np.uint8], length: int
) -> None:
    # Twelve bytes of contents, which end after the declared length.
    segment = b'\xff\xee' + struct.pack('>H', length) + b'Adobe' + bytes(7)
    content = jpeg_of(picture)
    damaged = content[:2] + segment + content[2:]
    assert cv2.imdecode(np.frombuffer(damaged, np.uint8), cv2.IMREAD_COLOR) is not None
    np.testing.assert_array_equal(decode_picture(damaged), decode_picture(content))


def test_a_jpeg_with_too_many_markers_is_rejected(picture: npt.NDArray[np.uint8]) -> None:
    content = jpeg_of(picture)
    with pytest.raises(ImageError, match='cut off or damaged'):
        check_picture(content[:2] + b'\xff' * 5000 + content[2:])
    check_picture(content[:2] + b'\xff' * 1000 + content[2:])


def test_a_message_of_too_many_bytes_is_rejected() -> None:
    message = SimpleNamespace(format='png', data=bytes(64 * 1024 * 1024 + 1))
    with pytest.raises(ImageError, match='has 67108865 bytes, more than 67108864'):
        check_compressed_image(message)


def restarting(picture: npt.NDArray[np.uint8]) -> bytes:
    return file_of(picture, 'jpg', cv2.IMWRITE_JPEG_RST_INTERVAL, 3)


def progressive(picture: npt.NDArray[np.uint8]) -> bytes:
    return file_of(picture, 'jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


def optimized(picture: npt.NDArray[np.uint8]) -> bytes:
    return file_of(picture, 'jpg', cv2.IMWRITE_JPEG_OPTIMIZE, 1)


JPEGS = (jpeg_of, restarting, progressive, optimized)


@pytest.fixture
def noise() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.mark.parametrize('written', JPEGS)
@pytest.mark.parametrize('end', [b'', b'\xff', bytes(3), bytes(512)])
def test_a_jpeg_that_lacks_only_its_end_marker_is_decoded(
    written: Callable[[npt.NDArray[np.uint8]], bytes], end: bytes, noise: npt.NDArray[np.uint8]
) -> None:
    content = written(noise)
    assert content.endswith(b'\xff\xd9')
    without = content[:-2] + end
    check_picture(without)
    np.testing.assert_array_equal(decode_picture(without), decode_picture(content))
    small, expected = (LazyPicture.from_file(each).for_model(12) for each in (without, content))
    np.testing.assert_array_equal(small, expected)
    message = SimpleNamespace(format='jpeg', data=without)
    check_compressed_image(message)
    assert LazyPicture.from_compressed_image(message).whole.shape == noise.shape


@pytest.mark.parametrize('written', JPEGS)
@pytest.mark.parametrize(
    'end', [b'', b'\xff', bytes(512), b'\xff\xd9', b'\xff\xd9 and more \xff\xd9']
)
def test_a_jpeg_that_is_cut_off_is_rejected(
    written: Callable[[npt.NDArray[np.uint8]], bytes], end: bytes, noise: npt.NDArray[np.uint8]
) -> None:
    content = written(noise)
    whole = decode_picture(content)
    scan = content.index(b'\xff\xda')
    details = content.rindex(b'\xff\xda')
    cuts = {*range(20, len(content) - 4, 7), scan + 14, details, details + 14}
    cuts |= {scan + match.start() for match in re.finditer(rb'\xff[\xd0-\xd7]', content[scan:])}
    for length in cuts:
        picture = decoded(content[:length] + end)
        if picture is None:
            continue
        assert length > scan
        # With an end marker, neither a later scan nor a restart is waited for.
        if b'\xff\xd9' not in end or written in (jpeg_of, optimized):
            # The rest of the last block, and what is smoothed with it.
            np.testing.assert_array_equal(picture[:31], whole[:31])
            np.testing.assert_array_equal(picture[:, :47], whole[:, :47])


def decoded(content: bytes) -> npt.NDArray[np.uint8] | None:
    """Return the picture in a file, None if it is rejected."""
    try:
        return decode_picture(content)
    except ImageError:
        return None


def test_a_grey_picture_is_not_cut_off() -> None:
    grey = np.full((48, 64, 3), 128, np.uint8)
    for written in JPEGS:
        content = written(grey)
        np.testing.assert_array_equal(decode_picture(content), grey)
        np.testing.assert_array_equal(decode_picture(content[:-2]), grey)


@pytest.mark.parametrize(
    ('marker', 'bits', 'words'),
    [(0xC1, 12, 'is one of 12 bits a value, which is'), (0xC3, 8, 'is a lossless one, which is')],
)
def test_an_unusual_jpeg_is_named(
    marker: int, bits: int, words: str, picture: npt.NDArray[np.uint8]
) -> None:
    content = bytearray(jpeg_of(picture))
    frame = content.index(b'\xff\xc0')
    content[frame + 1], content[frame + 4] = marker, bits
    with pytest.raises(ImageError, match=f'{words} not decoded: save or send it as a usual one'):
        decode_picture(bytes(content))
