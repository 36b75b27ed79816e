# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests to add and to list samples, and the labels in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
from edgetpu_retrain.label import check_label
from edgetpu_retrain.node.cameras.message_header import stamp_parts
from edgetpu_retrain.node.questions.question_requests import (
    answer_request,
    list_questions_request,
    MAX_PICTURES,
    pictures_request,
)
from edgetpu_retrain.node.samples.sample_requests import add_request, list_request, MAX_COUNT
from edgetpu_retrain.store.questions.asking import MAX_QUESTIONS
from fuzz import messages
from fuzz.message_fields import ReadFields, WrittenFields
from fuzz.target import each_of, MemoryBudget, MIB, Target
import numpy as np

_CAMERAS = ('front', 'arm')
_PARAMETERS = SimpleNamespace(sample_timeout_s=10.0, min_novelty=0.0)


def _run(data: bytes, _folder: Path) -> None:
    fields = ReadFields(data)
    add, newest = messages.add_sample(fields), messages.list_samples(fields)
    answer = messages.answer_questions(fields)
    each_of(
        lambda: _add(add),
        lambda: list_request(newest),
        lambda: _label(newest.label),
        lambda: _questions(answer),
    )


def _add(request: object) -> None:
    wanted = add_request(request, _CAMERAS, _PARAMETERS, '')
    assert 1 <= wanted.count <= MAX_COUNT
    assert wanted.camera in ('', *_CAMERAS)
    assert 0.0 <= wanted.timeout_s < float('inf')
    assert 0.0 <= wanted.min_novelty <= 2.0
    seconds, nanoseconds = stamp_parts(wanted.stamp_ns)
    assert -(2**31) <= seconds < 2**31
    assert 0 <= nanoseconds < 10**9


def _questions(request: object) -> None:
    assert 0 <= list_questions_request(request) <= MAX_QUESTIONS
    ids, label = answer_request(request)
    assert 1 <= len(ids) <= MAX_QUESTIONS
    if label:
        _label(label)
    of, ids = pictures_request(request)
    assert of in ('samples', 'questions')
    assert 1 <= len(ids) <= MAX_PICTURES


def _label(label: str) -> None:
    check_label(label)
    # What it becomes: the name of a folder, a line, an element of XML.
    assert Path(label).name == label
    assert len(label.encode()) <= 255
    assert label.splitlines() == [label]


def _seeds() -> Iterator[bytes]:
    picture = cv2.imencode('.png', np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    for content in (b'', picture):
        fields = WrittenFields()
        messages.add_sample(fields, content)
        messages.list_samples(fields)
        messages.answer_questions(fields)
        yield fields.content


# Each of the texts may be one of 2 MB made of 64 bytes.
TARGET = Target(run=_run, seeds=_seeds, max_bytes=4096, memory=MemoryBudget(24 * MIB, 200_000))
