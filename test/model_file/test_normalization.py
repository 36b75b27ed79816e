# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.model_file.normalization import Normalization, read_input_range
import pytest

PER_CHANNEL = Normalization((123.7, 116.3, 103.5), (58.4, 57.1, 57.4))


@pytest.mark.parametrize(
    ('text', 'wanted'),
    [
        ('', None),
        ('0..255', Normalization((0.0,), (1.0,))),
        ('0..1', Normalization((0.0,), (255.0,))),
        ('-1..1', Normalization((127.5,), (127.5,))),
        (' -1 .. 1 ', Normalization((127.5,), (127.5,))),
        ('127.5/127.5', Normalization((127.5,), (127.5,))),
        ('mean 0 std 255', Normalization((0.0,), (255.0,))),
        ('123.7,116.3,103.5/58.4,57.1,57.4', PER_CHANNEL),
        ('mean=[123.7, 116.3, 103.5] std=[58.4, 57.1, 57.4]', PER_CHANNEL),
    ],
)
def test_a_range_or_mean_and_standard_deviation_is_read(
    text: str, wanted: Normalization | None
) -> None:
    assert read_input_range(text) == wanted


@pytest.mark.parametrize('text', ['0..1', '0..255', '-1..1', '123.7,116.3,103.5/58.4,57.1,57.4'])
def test_a_normalization_is_written_as_it_is_read(text: str) -> None:
    assert str(read_input_range(text)) == text


@pytest.mark.parametrize(
    ('text', 'problem'),
    [
        ('bright', 'it is one of 0..255, 0..1, -1..1 or MEAN/STD'),
        ('1..0', 'it is one of'),
        ('0..1..2', 'it is one of'),
        ('1 2 3', 'it is one of'),
        ('1,2/3,4', 'has 2 numbers; 1 or 3 are needed'),
        ('127.5/0', 'must be above 0'),
        ('1e99/1', 'no pixel value'),
        ('0.485,0.456,0.406/0.229,0.224,0.225', 'multiply its numbers by 255'),
    ],
)
def test_anything_else_is_rejected_with_the_way_out(text: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        read_input_range(text)
