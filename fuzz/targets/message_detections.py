# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays of vision_msgs/Detection2DArray, and the images that they are of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from edgetpu_retrain.node.cameras.detections import (
    boxes_within,
    check_detections,
    DetectionMatcher,
    most_certain,
)
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.frames.newest_frames import Frame
from fuzz import messages
from fuzz.message_fields import Fields, ReadFields, WrittenFields
from fuzz.target import each_of, MemoryBudget, MIB, Target

_MOST_BOXES = 32
_LONGEST_WAIT_S = 0.5


def _run(data: bytes, _folder: Path) -> None:
    _take(ReadFields(data))


def _take(fields: Fields) -> None:
    matcher = DetectionMatcher()
    calls = []
    for number in range(1 + fields.how_many(3, 1)):
        width, height = fields.whole(16, 640), fields.whole(16, 480)
        if fields.flag(True):
            image = SimpleNamespace(header=messages.header(fields), data=b'')
            matcher.add_image(Frame('front', RAW, image, float(number)))
        array = messages.detections(fields)
        calls.append(lambda array=array, size=(width, height): _classify(array, *size))
        matcher.add_detections(array, float(number))
        matcher.expire(float(number), _LONGEST_WAIT_S)
    each_of(*calls)


def _classify(array: object, width: int, height: int) -> None:
    check_detections(array)
    kept = most_certain(array.detections, _MOST_BOXES)  # type: ignore[attr-defined]
    assert len(kept) <= _MOST_BOXES
    for _, region in boxes_within(kept, width, height):
        region.check_within(width, height)


def _seeds() -> Iterator[bytes]:
    fields = WrittenFields()
    _take(fields)
    yield fields.content


# A box is some objects of Python, and a text may be repeated.
TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(24 * MIB, 70_000))
