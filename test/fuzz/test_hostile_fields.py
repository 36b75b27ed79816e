# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages and requests with fields at their limits and beyond, through the fuzzing targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz import messages
from fuzz.message_fields import ReadFields, WrittenFields
from fuzz.target import check
from fuzz.target_list import load_target
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import pytest
from support.normal_floats import floats

TARGETS = (
    'message_compressed_image',
    'message_detections',
    'message_image',
    'request_corrections',
    'request_parameters',
    'request_samples',
    'request_training',
)
EDGES = (0, 1, 2, 7, 8, 100, 101, 255, 256, 999, 1000, 1001, 9_999, 10_000, 10_001, 32_767)
TEXTS = ('', '.', '..', 'a/b', 'mug', 'two\nlines', '\x1b[2J', '\u202e', 'unknown', 'x' * 101)


class DrawnFields(WrittenFields):
    """
    Fields that hypothesis chooses, written as the bytes that :class:`ReadFields` reads.

    Args:
        draw: of a data strategy; it shrinks a failure to the simplest fields.
    """

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        super().__init__()
        self._draw = draw

    def whole(self, bits: int, example: int) -> int:
        most = 2**bits - 1
        edges = st.sampled_from([*(edge for edge in EDGES if edge <= most), most, most // 2 + 1])
        value = self._draw(st.just(example) | edges | st.integers(0, most))
        return super().whole(bits, value)

    def signed(self, bits: int, example: int) -> int:
        most = 2 ** (bits - 1)
        value = self._draw(st.just(example) | st.integers(-most, most - 1))
        return super().signed(bits, value)

    def number(self, example: float) -> float:
        return super().number(self._draw(st.just(example) | floats()))

    def text(self, example: str) -> str:
        value = self._draw(st.just(example) | st.sampled_from(TEXTS) | st.text(max_size=120))
        WrittenFields.whole(self, 8, 0)
        WrittenFields.data(self, value.encode())
        return str(value)

    def data(self, example: bytes) -> bytes:
        value = self._draw(st.just(example) | st.binary(max_size=64))
        WrittenFields.whole(self, 16, len(value))
        self.content += value
        return bytes(value)

    def flag(self, _example: bool) -> bool:
        return bool(WrittenFields.whole(self, 8, int(self._draw(st.booleans()))))

    def how_many(self, most: int, example: int) -> int:
        value = self._draw(st.just(example) | st.integers(0, min(most, 4)))
        return WrittenFields.whole(self, 16, value)


def _compressed_image(fields: DrawnFields) -> None:
    messages.header(fields)
    messages.region_of_interest(fields)


def _detections(fields: DrawnFields) -> None:
    fields.how_many(3, 1)
    fields.whole(16, 640)
    fields.whole(16, 480)
    if fields.flag(True):
        messages.header(fields)
    messages.detections(fields)


def _image(fields: DrawnFields) -> None:
    messages.image(fields)
    messages.region_of_interest(fields)


def _corrections(fields: DrawnFields) -> None:
    messages.relabel_samples(fields, 'mug', 0)
    messages.relabel_samples(fields, '', 2)
    messages.remove_samples(fields)
    fields.flag(True)


def _samples(fields: DrawnFields) -> None:
    messages.add_sample(fields)
    messages.list_samples(fields)


DESCRIPTIONS: dict[str, Callable[[DrawnFields], object]] = {
    'message_compressed_image': _compressed_image,
    'message_detections': _detections,
    'message_image': _image,
    'request_corrections': _corrections,
    'request_samples': _samples,
    'request_training': messages.goal,
}


@pytest.mark.parametrize('name', DESCRIPTIONS)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_message_is_accepted_or_rejected_with_a_message(
    name: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    fields = DrawnFields(data.draw)
    DESCRIPTIONS[name](fields)
    check(load_target(name), fields.content, tmp_path_factory.mktemp('scratch'))


@pytest.mark.parametrize('name', TARGETS)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=400))
def test_any_bytes_are_accepted_or_rejected_with_a_message(
    name: str, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    check(load_target(name), content, tmp_path_factory.mktemp('scratch'))


@pytest.mark.parametrize('name', TARGETS)
def test_the_example_of_each_message_is_valid(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    assert not check(target, next(iter(target.seeds())), tmp_path)


def test_fields_are_read_as_they_were_written() -> None:
    written = WrittenFields()
    message = messages.add_sample(written, b'picture')
    assert messages.add_sample(ReadFields(written.content), b'') == message
