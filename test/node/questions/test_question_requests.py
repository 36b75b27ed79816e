# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The limits of requests about questions and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.questions.question_requests import (
    answer_request,
    list_questions_request,
    MAX_PICTURES,
    pictures_request,
)
from edgetpu_retrain.store.questions.asking import MAX_QUESTIONS
import pytest


def test_the_largest_requests_are_accepted() -> None:
    most = list(range(MAX_QUESTIONS))
    assert list_questions_request(SimpleNamespace(limit=MAX_QUESTIONS)) == MAX_QUESTIONS
    assert answer_request(SimpleNamespace(ids=most, label='')) == (tuple(most), '')
    assert answer_request(SimpleNamespace(ids=most, label='cat')) == (tuple(most), 'cat')
    pictures = SimpleNamespace(of='samples', ids=most[:MAX_PICTURES])
    assert pictures_request(pictures) == ('samples', tuple(most[:MAX_PICTURES]))


def test_larger_ones_are_rejected() -> None:
    with pytest.raises(RequestError, match='limit is 1001'):
        list_questions_request(SimpleNamespace(limit=MAX_QUESTIONS + 1))
    ids: Sequence[int]
    for ids in ((), range(MAX_QUESTIONS + 1)):
        with pytest.raises(RequestError, match=f'ids has {len(ids)} questions'):
            answer_request(SimpleNamespace(ids=ids, label='cat'))
    for ids in ((), range(MAX_PICTURES + 1)):
        with pytest.raises(RequestError, match=f'ids has {len(ids)} pictures'):
            pictures_request(SimpleNamespace(of='questions', ids=ids))


@pytest.mark.parametrize('label', ['a/b', 'Unknown', ' cat', 'x' * 101])
def test_an_invalid_label_is_rejected(label: str) -> None:
    with pytest.raises(RequestError):
        answer_request(SimpleNamespace(ids=[1], label=label))


@pytest.mark.parametrize('of', ['', 'models', 'Samples', 'samples\n'])
def test_pictures_of_something_else_are_rejected(of: str) -> None:
    with pytest.raises(RequestError, match="use 'samples' or 'questions'"):
        pictures_request(SimpleNamespace(of=of, ids=[1]))
