# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Limits the time and memory that a hostile PNG file can cost in the decoder.

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
"""Maximum number of chunks in a file; a chunk usually has 8 KB of pixels."""

UNCHECKED_BYTES = 64 * 1024
"""Compressed pixels up to this size are not checked: they inflate within 0.3 s at worst."""

# The ancillary chunks that are used.  Before decoding, all ancillary chunks but tRNS are removed,
# because text chunks, for example, can inflate to megabytes each.
_TRANSPARENCY = b'tRNS'
_EXIF = b'eXIf'
# Bit 5 of a chunk's first letter marks it as ancillary: not needed to read the picture.
_ANCILLARY = 0x20
# Values per pixel, by colour type.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Margin for interlaced pictures, which have more rows: they consist of seven smaller pictures.
_ROOM = 2
_STEP = 1 << 20
_CHUNK_HEAD = struct.Struct('>I4s')
_GREY = 0


@dataclass(frozen=True)
class PngFile:
    """
    A PNG file.

    Args:
        shown: the file without the chunks that its pixels do not need.
        orientation: see :func:`~edgetpu_retrain.pictures.files.orientation.exif_orientation`.
        transparent_grey: the shade of grey that is transparent, scaled to 8 or 16 bits as OpenCV
            does; None if there is none.
    """

    shown: bytes
    orientation: int
    transparent_grey: int | None


def png_size(content: bytes) -> tuple[int, int]:
    """Return the width and height that a PNG file declares, or raise ImageError."""
    if len(content) < 26 or content[12:16] != b'IHDR':
        raise _cut_off(content)
    width, height = struct.unpack_from('>II', content, 16)
    return width, height


def read_png(content: bytes) -> PngFile:
    """
    Check a PNG file, and return the parts that a decoder needs.

    Raises:
        ImageError: if it is truncated or damaged, has too many chunks, or has more pixels than it
            declares.
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
    """Inflate the pixels in steps; raise if they have more bytes than the declared size needs."""
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
