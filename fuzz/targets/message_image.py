# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A sensor_msgs/Image of a camera, whole and in part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.pictures.image_encodings import CONVERTED_ENCODINGS
from edgetpu_retrain.pictures.region import Region
from fuzz import messages
from fuzz.message_fields import Fields, ReadFields, WrittenFields
from fuzz.target import BrokenPromiseError, each_of, MemoryBudget, MIB, Target
import numpy as np


def _frame(fields: Fields, encoding: str = 'rgb8') -> tuple[Frame, Any]:
    message = messages.image(fields, encoding)
    return Frame('front', RAW, message, 0.0), messages.region_of_interest(fields)


def _run(data: bytes, _folder: Path) -> None:
    frame, roi = _frame(ReadFields(data))
    each_of(frame.check, lambda: _convert(frame, roi))


def _convert(frame: Frame, roi: Any) -> None:
    region = Region.from_message(roi)
    fresh = Frame(frame.camera, frame.transport, frame.message, frame.arrived, region)
    fresh.check_header()
    part = fresh.picture.for_model(224, region)
    whole = frame.picture.whole
    try:
        frame.check()
    except RetrainError as error:
        raise BrokenPromiseError(f'what is refused was converted: {error}') from error
    if whole.dtype != np.uint8 or whole.shape[:2] != (frame.size[1], frame.size[0]):
        raise BrokenPromiseError(f'{frame.size} became {whole.shape}')
    expected = whole if region is None else region.cut(whole)
    if not np.array_equal(part, expected):
        raise BrokenPromiseError(f'{region} is not cut from the whole')


def _seeds() -> Iterator[bytes]:
    for encoding in (*CONVERTED_ENCODINGS, '8UC3'):
        fields = WrittenFields()
        _frame(fields, encoding)
        yield fields.content


# The image itself is made of few bytes here, and of up to 64 KB.
TARGET = Target(run=_run, seeds=_seeds, max_bytes=2048, memory=MemoryBudget(2 * MIB, 70_000))
