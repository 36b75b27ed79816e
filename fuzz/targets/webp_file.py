# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A WEBP file: its chunks, and the picture in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import struct

import cv2
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.pictures.compressed_image import (
    check_picture,
    decode_picture,
    MAX_PIXELS_A_BYTE,
    SMALL_PIXELS,
)
from edgetpu_retrain.pictures.files.webp_file import is_webp, read_webp
from fuzz.small_files import picture
from fuzz.target import BrokenPromiseError, MemoryBudget, MIB, Target


def _run(data: bytes, _folder: Path) -> None:
    # All inputs reach the parser of WEBP files.
    content = b'RIFF' + data[4:8].ljust(4, b'\0') + b'WEBP' + data[12:]
    assert is_webp(content)
    file = read_webp(content)
    again = read_webp(file.shown)
    if (again.width, again.height, again.shown) != (file.width, file.height, file.shown):
        raise BrokenPromiseError('the part that is needed is read differently')
    whole = decode_picture(content)
    try:
        size = check_picture(content)
    except RetrainError as error:
        raise BrokenPromiseError(f'what is rejected was decoded: {error}') from error
    if sorted(whole.shape[:2]) != sorted((size.height, size.width)):
        raise BrokenPromiseError(f'{size.width} x {size.height} became {whole.shape}')


def _seeds() -> Iterator[bytes]:
    for channels in (3, 4):
        for quality in (80, 101):
            yield picture('.webp', channels, cv2.IMWRITE_WEBP_QUALITY, quality)
    turned = struct.pack('<2sHIHHHIHHI', b'II', 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    content = picture('.webp') + b'EXIF' + struct.pack('<I', len(turned)) + turned
    yield content[:4] + struct.pack('<I', len(content) - 8) + content[8:]


# Four bytes a pixel when decoded, four in OpenCV's order of colours, and six without alpha.
TARGET = Target(
    run=_run,
    seeds=_seeds,
    max_bytes=4096,
    memory=MemoryBudget(2 * MIB + SMALL_PIXELS * 18, MAX_PIXELS_A_BYTE * 18),
)
