# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the header of a JPEG file (ITU-T T.81, annex B), and checks that the file is complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import itertools
import struct

from edgetpu_retrain.errors import ImageError
import numpy as np
import numpy.typing as npt

JPEG_START = b'\xff\xd8\xff'

MAX_SCANS = 32
"""
Maximum number of scans in a file; encoders write up to 18.  Each scan may cover all pixels, so
more scans take longer to decode.
"""

MAX_MARKERS = 4096
"""
Maximum number of markers and fill bytes before the start of frame; usual files have at most a few
hundred.
"""

_END = b'\xff\xd9'
_RESTART_INTERVAL = b'\xff\xdd'
_START_OF_SCAN = b'\xff\xda'
# Markers of ITU-T T.81, table B.1: SOF0 to SOF15, except DHT, JPG and DAC in between.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_FILL = 0xFF
_STUFFED = 0x00
_COEFFICIENTS = 64
_DECODED_BITS = 8
# The pixel value that a decoder returns for missing data, whose coefficients are all 0.
_MISSING = 128

# Maximum number of zero bytes that may belong to the end of a scan.  More are padding: after a
# power loss, a file may end with zeros in place of data that was not written.
_LONGEST_ZEROS = 16

# Arbitrary data of several blocks of pixels, with which a decoder continues an incomplete scan.
# The data is repeated after each of the eight restart markers, because the decoder may be waiting
# for any of them.
_BITS = bytes([0xBF, 0xC3, 0x96, 0x3C, 0xA5, 0x69] * 8)
_MORE = _BITS + b''.join(bytes([0xFF, marker]) + _BITS for marker in range(0xD0, 0xD8))


@dataclass(frozen=True)
class JpegFile:
    """
    The properties of a JPEG file.

    Args:
        width: width before rotation, pixels.
        height: height before rotation, pixels.
        end: position of the end marker; -1 = the file has none.
        scans: number of scans.
        variant: a feature that decoders may not support, for the error message; '' = none.
    """

    width: int
    height: int
    end: int
    scans: int
    variant: str


def read_jpeg(content: bytes) -> JpegFile:
    """
    Read the properties of a JPEG file without decoding it.

    Scanners and photo editors may write bytes between two segments.  These bytes are skipped,
    as in libjpeg (next_marker in jdmarker.c).

    Args:
        content: bytes of the file, beginning with :data:`JPEG_START`.

    Raises:
        ImageError: if the file is truncated or damaged, or exceeds a limit.
    """
    position = 2
    for _ in range(MAX_MARKERS):
        position = content.find(_FILL, position)
        if position < 0 or position + 9 > len(content):
            break
        marker = content[position + 1]
        if marker == _FILL:
            position += 1
        elif marker == _STUFFED or marker in _WITHOUT_LENGTH:
            position += 2
        elif marker in _START_OF_FRAME:
            return _read_frame(content, position)
        else:
            position += 2 + struct.unpack_from('>H', content, position + 2)[0]
    raise _cut_off(content)


def decode_jpeg(
    content: bytes, file: JpegFile, decode: Callable[[bytes], npt.NDArray[np.uint8]]
) -> npt.NDArray[np.uint8]:
    """
    Decode a JPEG file, and check that it is complete.

    Decoders fill a missing part of a picture with grey and report no error.  So if a corner of the
    picture is grey, or the file has no end marker (some cameras omit it), the file is decoded
    again with more data at its end.  The additional data changes the picture only if the file is
    incomplete.

    Args:
        content: bytes of the file.
        file: the properties of the file, from :func:`read_jpeg`.
        decode: decodes a file; returns uint8 ``[H, W, C]``, or raises ImageError.

    Raises:
        ImageError: if the file is cut off, or cannot be decoded.
    """
    written = content[: file.end] if file.end >= 0 else _without_padding(content)
    # The last byte may be the first byte of an end marker.
    written = written.rstrip(b'\xff')
    try:
        picture = decode(content if file.end >= 0 else written + _END)
    except ImageError as error:
        if file.variant:
            raise ImageError(
                f'the JPEG file ({len(content)} bytes) is {file.variant}, which is not decoded: '
                'save or send it as a usual one'
            ) from error
        raise
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    is_grey = bool((corners == _MISSING).all(axis=1).any())
    if file.end < 0 or is_grey:
        # One additional byte is usually enough.  With more bytes, libjpeg prints a warning even if
        # the file is complete.  For the frames of a camera, warnings would fill the log.
        needs_more = file.end < 0 and (is_grey or file.scans > 1 or _RESTART_INTERVAL in content)
        more = _MORE if needs_more else _MORE[:1]
        if not np.array_equal(picture, decode(written + more + _END)):
            raise _cut_off(content)
    return picture


def _without_padding(content: bytes) -> bytes:
    """Shorten more than 16 zeros at the end of a file to two; up to 16 zeros may be data."""
    written = content.rstrip(b'\0')
    zeros = len(content) - len(written)
    return written + bytes(zeros if zeros <= _LONGEST_ZEROS else 2)


def _read_frame(content: bytes, frame: int) -> JpegFile:
    """Return the properties of a file whose start-of-frame marker is at position ``frame``."""
    bits, height, width = struct.unpack_from('>BHH', content, frame + 4)
    scans = content.count(_START_OF_SCAN, frame)
    if scans > MAX_SCANS:
        raise ImageError(f'the JPEG file has {scans} scans, more than {MAX_SCANS}: save it again')
    # Search after the first scan's header: an EXIF thumbnail before it has an end marker, too.
    end = content.find(_END, _after_scan_header(content, frame))
    if end < 0 and not _has_all_scans(content, frame):
        raise _cut_off(content)
    variant = '' if bits == _DECODED_BITS else f'one of {bits} bits a value'
    if content[frame + 1] in _LOSSLESS:
        variant = 'a lossless one'
    return JpegFile(width, height, end, scans, variant)


def _after_scan_header(content: bytes, frame: int) -> int:
    """Return the position after the first scan's header, or the file's length if it has none."""
    scan = content.find(_START_OF_SCAN, frame)
    if scan < 0 or scan + 4 > len(content):
        return len(content)
    length: int = struct.unpack_from('>H', content, scan + 2)[0]
    return scan + 2 + length


def _has_all_scans(content: bytes, frame: int) -> bool:
    """
    Return whether the scans contain all coefficients of all components, with all their bits.

    Args:
        content: bytes of the file.
        frame: position of the start-of-frame marker.
    """
    # ITU-T T.81, B.2.2 and B.2.3: the components, and the coefficients in each scan.
    is_progressive = content[frame + 1] in _PROGRESSIVE
    number = content[frame + 9] if frame + 9 < len(content) else 0
    begin, end = frame + 10, frame + 10 + 3 * number
    components = content[begin:end:3]
    missing = set(itertools.product(components, range(_COEFFICIENTS)))
    scan = content.find(_START_OF_SCAN, frame)
    while scan >= 0 and scan + 5 <= len(content):
        begin, end = scan + 5, scan + 5 + 2 * content[scan + 4]
        if end + 3 >= len(content):
            break
        first, last, bits = 0, _COEFFICIENTS - 1, 0
        if is_progressive:
            first, last, bits = struct.unpack_from('BBB', content, end)
        if not bits & 0x0F:
            coefficients = range(first, min(last + 1, _COEFFICIENTS))
            missing.difference_update(itertools.product(content[begin:end:2], coefficients))
        scan = content.find(_START_OF_SCAN, end)
    return bool(components) and not missing


def _cut_off(content: bytes) -> ImageError:
    return ImageError(f'the JPEG file ({len(content)} bytes) is cut off or damaged: send it again')
