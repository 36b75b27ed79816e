# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads the size and orientation of a WEBP file, and removes chunks that decoding does not need.

Based on https://developers.google.com/speed/webp/docs/riff_container, for lossy pictures on
RFC 6386 (9.1), and for lossless pictures on
https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import struct

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.pictures.files.orientation import exif_orientation, UPRIGHT

MAX_CHUNKS = 1024
"""Maximum number of chunks in a file; a picture has one to six."""

_HEAD = struct.Struct('<4sI')
_BEGIN = 12
_LOSSY_START = b'\x9d\x01\x2a'
_LOSSLESS_START = 0x2F
# Flags in the first byte of the extended header (chunk VP8X).
_ANIMATION = 0x02
_ALPHA = 0x10


@dataclass(frozen=True)
class WebpFile:
    """
    The properties of a WEBP file.

    Args:
        width: width before rotation, pixels.
        height: height before rotation, pixels.
        shown: the file with only the chunks that a decoder needs.
        orientation: see :func:`~edgetpu_retrain.pictures.files.orientation.exif_orientation`.
    """

    width: int
    height: int
    shown: bytes
    orientation: int


def is_webp(content: bytes) -> bool:
    """Return whether the first 12 bytes of a file are those of a WEBP file."""
    return content[:4] == b'RIFF' and content[8:_BEGIN] == b'WEBP'


def read_webp(content: bytes) -> WebpFile:
    """
    Read the properties of a WEBP file without decoding it.

    Args:
        content: bytes of the file, which :func:`is_webp` accepts.

    Raises:
        ImageError: if the file is truncated, damaged or animated, or has too many chunks.
    """
    chunks: dict[bytes, bytes] = {}
    for kind, body in _chunks(content):
        if (kind == b'VP8X' and body[:1] and body[0] & _ANIMATION) or kind == b'ANMF':
            raise ImageError('the WEBP file is animated: save it as a single picture')
        # If a chunk is repeated, decoders use the first one.
        chunks.setdefault(kind, body)
    if b'VP8 ' in chunks:
        width, height = _lossy_size(chunks[b'VP8 '])
        kinds = [b'VP8 ']
    elif b'VP8L' in chunks:
        width, height = _lossless_size(chunks[b'VP8L'])
        kinds = [b'VP8L']
    else:
        raise _damaged(content)
    if b'VP8 ' in chunks and b'ALPH' in chunks and b'VP8X' in chunks:
        # Replace the extended header with one that has the size of the decoded picture, and no
        # flags of removed chunks.
        sizes = (width - 1).to_bytes(3, 'little') + (height - 1).to_bytes(3, 'little')
        chunks[b'VP8X'] = bytes([_ALPHA, 0, 0, 0]) + sizes
        kinds = [b'VP8X', b'ALPH', b'VP8 ']
    orientation = exif_orientation(chunks[b'EXIF']) if b'EXIF' in chunks else UPRIGHT
    return WebpFile(width, height, _file_of(kinds, chunks), orientation)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    (size,) = struct.unpack_from('<I', content, 4)
    end = 8 + size
    if end > len(content):
        raise _damaged(content)
    position = _BEGIN
    for _ in range(MAX_CHUNKS):
        if position + _HEAD.size > end:
            return
        kind, length = _HEAD.unpack_from(content, position)
        position += _HEAD.size
        chunk_end = position + length
        if chunk_end > end:
            raise _damaged(content)
        yield kind, content[position:chunk_end]
        position = chunk_end + length % 2
    raise ImageError(f'the WEBP file has more than {MAX_CHUNKS} chunks: save it again')


def _lossy_size(frame: bytes) -> tuple[int, int]:
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != _LOSSY_START:
        raise _damaged(frame)
    width, height = (side & 0x3FFF for side in struct.unpack_from('<HH', frame, 6))
    if not width or not height:
        raise _damaged(frame)
    return width, height


def _lossless_size(stream: bytes) -> tuple[int, int]:
    if len(stream) < 5 or stream[0] != _LOSSLESS_START:
        raise _damaged(stream)
    (sizes,) = struct.unpack_from('<I', stream, 1)
    return (sizes & 0x3FFF) + 1, (sizes >> 14 & 0x3FFF) + 1


def _file_of(kinds: list[bytes], chunks: dict[bytes, bytes]) -> bytes:
    parts = [b'WEBP']
    for kind in kinds:
        body = chunks[kind]
        parts += [_HEAD.pack(kind, len(body)), body, bytes(len(body) % 2)]
    joined = b''.join(parts)
    return _HEAD.pack(b'RIFF', len(joined)) + joined


def _damaged(content: bytes) -> ImageError:
    return ImageError(f'the WEBP file ({len(content)} bytes) is cut off or damaged: send it again')
