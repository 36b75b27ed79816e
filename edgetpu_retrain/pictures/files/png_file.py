# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Checks PNG files, and limits the time and memory that decoding a hostile file can take.

Based on https://www.w3.org/TR/png-3/: sections 5.3 (chunks), 11.2.1 (IHDR) and 11.3.1.1 (tRNS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import struct
import zlib

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.files.orientation import exif_orientation, UPRIGHT

PNG_START = b'\x89PNG\r\n\x1a\n'

MAX_CHUNKS = 65_536
"""Maximum number of chunks in a file; encoders usually write 8 KB of pixels per chunk."""

UNCHECKED_BYTES = 64 * 1024
"""
Compressed pixels up to this size, bytes, are not checked: they inflate to at most 68 MB, which
takes about 0.3 s.
"""

# The ancillary chunks that are used.  Before decoding, all ancillary chunks except tRNS are
# removed, because a text chunk, for example, can inflate to megabytes.
_TRANSPARENCY = b'tRNS'
_EXIF = b'eXIf'
# Bit 5 in the first letter of a chunk's type marks an ancillary chunk, which decoders may ignore.
_ANCILLARY = 0x20
# Number of values per pixel, by colour type.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Factor by which the pixels may exceed their expected size.  An interlaced picture consists of
# seven smaller pictures, which have more rows in total.
_ROOM = 2
# Maximum number of bytes that are inflated at a time.
_STEP = 1 << 20
_CHUNK_HEAD = struct.Struct('>I4s')
# Colour type of a grey picture without alpha.
_GREY = 0


@dataclass(frozen=True)
class PngFile:
    """
    The parts of a PNG file that are needed to decode it.

    Args:
        shown: the file with only the chunks that the decoder needs.
        orientation: see :func:`~edgetpu_retrain.pictures.files.orientation.exif_orientation`.
        transparent_grey: value of the transparent pixels of a grey picture, scaled to 8 or 16 bits
            as OpenCV scales pixels; None = the picture has no transparent grey value.
    """

    shown: bytes
    orientation: int
    transparent_grey: int | None


def png_size(content: bytes) -> tuple[int, int]:
    """
    Return the width and height in the header of a PNG file, pixels.

    Raises:
        ImageError: if the header is incomplete.
    """
    if len(content) < 26 or content[12:16] != b'IHDR':
        raise _cut_off(content)
    width, height = struct.unpack_from('>II', content, 16)
    return width, height


def read_png(content: bytes) -> PngFile:
    """
    Check a PNG file, and return the parts that a decoder needs.

    Compressed pixels of more than :data:`UNCHECKED_BYTES` are inflated, to check their size.

    Args:
        content: bytes of the file, whose header :func:`png_size` accepts.

    Raises:
        ImageError: if the file is truncated or has too many chunks, or if inflating the pixels
            fails or returns over twice the declared size.
    """
    kept, pixels, optional = [PNG_START], [], {}
    position = len(PNG_START)
    for _ in range(MAX_CHUNKS):
        begin = position + _CHUNK_HEAD.size
        if begin > len(content):
            raise _cut_off(content)
        length, kind = _CHUNK_HEAD.unpack_from(content, position)
        checksum = begin + length
        end = checksum + 4
        if end > len(content):
            raise _cut_off(content)
        if not kind[0] & _ANCILLARY or kind == _TRANSPARENCY:
            kept.append(content[position:end])
        if kind == b'IDAT':
            pixels.append(content[begin:checksum])
        elif kind in (_TRANSPARENCY, _EXIF):
            optional[kind] = content[begin:checksum]
        position = end
        if kind == b'IEND':
            if sum(map(len, pixels)) > UNCHECKED_BYTES:
                _check_amount(pixels, content)
            exif = optional.get(_EXIF)
            return PngFile(
                b''.join(kept),
                UPRIGHT if exif is None else exif_orientation(exif),
                _transparent_grey(content, optional.get(_TRANSPARENCY, b'')),
            )
    raise ImageError(f'the PNG file has more than {MAX_CHUNKS} chunks: save it again')


def _transparent_grey(content: bytes, transparency: bytes) -> int | None:
    _, _, depth, colour = struct.unpack_from('>IIBB', content, 16)
    if colour != _GREY or len(transparency) != 2:
        return None
    (value,) = struct.unpack('>H', transparency)
    return int(value if depth == 16 else (value & 2**depth - 1) * (255 // (2**depth - 1)))


def _check_amount(packed: Sequence[bytes], content: bytes) -> None:
    """Inflate the pixels in steps; raise ImageError if this fails or returns twice the size."""
    width, height, depth, colour = struct.unpack_from('>IIBB', content, 16)
    row = 1 + width * _CHANNELS.get(colour, 4) * depth // 8
    left = _ROOM * (row + 1) * height
    inflating = zlib.decompressobj()
    try:
        for part in packed:
            rest = part
            while rest and not inflating.eof:
                left -= len(inflating.decompress(rest, _STEP))
                rest = inflating.unconsumed_tail
                if left < 0:
                    raise ImageError(
                        f'the PNG file ({len(content)} bytes) holds more pixels than the '
                        f'{width} x {height} that it declares: save it again'
                    )
    except zlib.error as error:
        raise ImageError(f'the PNG file is damaged ({error}): send it again') from error


def _cut_off(content: bytes) -> ImageError:
    return ImageError(f'the PNG file ({len(content)} bytes) is cut off: send it again')
