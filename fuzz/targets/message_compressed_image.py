# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A sensor_msgs/CompressedImage of a camera; PNG files get their checksums back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
import struct
from types import SimpleNamespace
from typing import Any
import zlib

import cv2
from edgetpu_retrain.node.cameras.image_transport import COMPRESSED
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.pictures.compressed_image import MAX_PIXELS_A_BYTE, SMALL_PIXELS
from edgetpu_retrain.pictures.region import Region
from fuzz import messages
from fuzz.message_fields import Fields, ReadFields, WrittenFields
from fuzz.target import each_of, MemoryBudget, MIB, Target
import numpy as np

# Almost every picture is large enough to be reduced for a model with such an input.
_SIDE = 2
_PNG_START = b'\x89PNG\r\n\x1a\n'


def _parts(fields: Fields) -> tuple[Any, Any]:
    return messages.header(fields), messages.region_of_interest(fields)


def _run(data: bytes, _folder: Path) -> None:
    fields = ReadFields(data)
    header, roi = _parts(fields)
    message = SimpleNamespace(header=header, format='jpeg', data=fields.rest())
    frame = Frame('front', COMPRESSED, message, 0.0)
    each_of(frame.check, lambda: _convert(frame, roi))


def _convert(frame: Frame, roi: Any) -> None:
    frame.check_header()
    width, height = frame.size
    assert frame.picture.whole.shape == (height, width, 3)
    part = (height, width)
    if (region := Region.from_message(roi)) is not None:
        part = (region.height, region.width)
        assert frame.picture.part(region).shape == (*part, 3)
    assert min(frame.picture.for_model(_SIDE, region).shape[:2]) >= min(_SIDE, *part)


def _seeds() -> Iterator[bytes]:
    fields = WrittenFields()
    _parts(fields)
    picture = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    for kind, options in (
        ('.jpg', []),
        ('.jpg', [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        ('.png', []),
        ('.webp', []),
    ):
        yield fields.content + cv2.imencode(kind, picture, options)[1].tobytes()


def _mutate(data: bytes, most: int, _seed: int, mutate: Callable[[bytes, int], bytes]) -> bytes:
    """Change bytes as libFuzzer does, and put the checksums of PNG chunks right."""
    changed = bytearray(mutate(data, most))
    position = changed.find(_PNG_START) + len(_PNG_START)
    while position >= len(_PNG_START) and position + 12 <= len(changed):
        (length,) = struct.unpack_from('>I', changed, position)
        end = position + 8 + length
        if end + 4 > len(changed):
            break
        begin = position + 4
        struct.pack_into('>I', changed, end, zlib.crc32(changed[begin:end]))
        position = end + 4
    return bytes(changed)


# Eight bytes a pixel when decoded with 16 bits and alpha, four with 8 bits, and six without alpha.
TARGET = Target(
    run=_run,
    seeds=_seeds,
    max_bytes=4096,
    memory=MemoryBudget(2 * MIB + SMALL_PIXELS * 18, MAX_PIXELS_A_BYTE * 18),
    mutate=_mutate,
)
