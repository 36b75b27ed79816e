# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the size of a JPEG file (ITU-T T.81, annex B), and checks that it is complete."""

from __future__ import annotations

import struct

from edgetpu_retrain.errors import ImageError

JPEG_START = b'\xff\xd8\xff'

MAX_SCANS = 32
"""Maximum number of scans in a file; encoders write up to 18.  Each may process all pixels."""

MAX_MARKERS = 4096
"""
Maximum number of markers and fill bytes before a picture's size; usual files have a few hundred.
"""

_END = b'\xff\xd9'
_START_OF_SCAN = b'\xff\xda'
# Markers of ITU-T T.81, table B.1: SOF0 to SOF15, except DHT, JPG and DAC in between.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_FILL = 0xFF
_STUFFED = 0x00


def jpeg_size(content: bytes) -> tuple[int, int]:
    """
    Return the width and height of a complete JPEG file, before rotation.

    Bytes between two segments are skipped up to the next marker, as libjpeg does (next_marker in
    jdmarker.c): scanners and photo editors write such files.

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
            height, width = struct.unpack_from('>HH', content, position + 5)
            # Require the end marker: old releases of OpenCV silently fill the missing part of a
            # truncated file with grey.  A thumbnail in the EXIF data ends before this position.
            if content.rfind(_END, position) < 0:
                break
            scans = content.count(_START_OF_SCAN, position)
            if scans > MAX_SCANS:
                raise ImageError(
                    f'the JPEG file has {scans} scans, more than {MAX_SCANS}: save it again'
                )
            return width, height
        else:
            position += 2 + struct.unpack_from('>H', content, position + 2)[0]
    raise ImageError(f'the JPEG file ({len(content)} bytes) is cut off or damaged: send it again')
