# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Rotates a picture according to its EXIF data.

OpenCV rotates JPEG files itself.  Whether it rotates PNG and WEBP files depends on its version and
on the flags for decoding, so these files are decoded without rotation and rotated by this module.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

UPRIGHT = 1

# Tag and type of the directory entry with the orientation.
_TAG = 0x0112
_SHORT = 3
# Maximum number of directory entries to read.
_MOST_ENTRIES = 1000


def exif_orientation(exif: bytes) -> int:
    """
    Return the orientation in EXIF data, 1 to 8; 1 (upright) if the data has no valid one.

    See https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf, 4.5 and 4.6.4.

    Args:
        exif: a TIFF structure, with or without the identifier that precedes it in JPEG files.
    """
    tiff = exif.removeprefix(b'Exif\0\0')
    order = {b'II': '<', b'MM': '>'}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return UPRIGHT
    (directory,) = struct.unpack_from(f'{order}I', tiff, 4)
    if directory + 2 > len(tiff):
        return UPRIGHT
    (count,) = struct.unpack_from(f'{order}H', tiff, directory)
    for index in range(min(count, _MOST_ENTRIES)):
        entry = directory + 2 + 12 * index
        if entry + 12 > len(tiff):
            break
        tag, kind, _, value = struct.unpack_from(f'{order}HHIH', tiff, entry)
        if tag == _TAG and kind == _SHORT:
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """
    Return a picture rotated and flipped to be upright.

    Args:
        pixels: the picture as stored, ``[H, W]`` or ``[H, W, C]``.
        orientation: the EXIF orientation, 1 to 8; see :func:`exif_orientation`.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    # The axes to flip.  Orientations 5 to 8 were transposed above; 1 and 5 need no flip.
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation)
    return np.ascontiguousarray(np.flip(pixels, flips)) if flips else np.ascontiguousarray(pixels)
