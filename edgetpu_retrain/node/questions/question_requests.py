# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Checks the requests of the services about questions and pictures; does not depend on ROS.

A request is any object with the fields of the service's request.
"""

from __future__ import annotations

from typing import Any, Literal

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.questions.asking import MAX_QUESTIONS
from edgetpu_retrain.wording import quoted

MAX_PICTURES = 256
"""Maximum number of ids in a request for pictures: a few screens of thumbnails."""

MAX_PICTURE_BYTES = 4 * 1024 * 1024
"""Maximum total size of the pictures in a response, bytes; a single picture may be larger."""

Of = Literal['samples', 'questions']


def list_questions_request(request: Any) -> int:
    """
    Check a request to list questions; return the maximum number of questions.

    Args:
        request: a ``ListQuestions.Request``.

    Raises:
        RequestError: if the number exceeds :data:`MAX_QUESTIONS`.
    """
    if request.limit > MAX_QUESTIONS:
        raise RequestError(f'limit is {request.limit}: ask for 0 to {MAX_QUESTIONS} questions')
    return int(request.limit)


def answer_request(request: Any) -> tuple[tuple[int, ...], str]:
    """
    Check a request to label or dismiss questions; return the ids and the label ('' = dismiss).

    Args:
        request: an ``AnswerQuestions.Request``.

    Raises:
        RequestError: if there are no ids, or more than :data:`MAX_QUESTIONS`, or the label is
            invalid.
    """
    if not 1 <= len(request.ids) <= MAX_QUESTIONS:
        raise RequestError(
            f'ids has {len(request.ids)} questions: name 1 to {MAX_QUESTIONS} of those that '
            '~/list_questions lists'
        )
    if request.label:
        check_label(request.label)
    return tuple(map(int, request.ids)), request.label


def pictures_request(request: Any) -> tuple[Of, tuple[int, ...]]:
    """
    Check a request for pictures; return 'samples' or 'questions', and the ids.

    Args:
        request: a ``GetPictures.Request``.

    Raises:
        RequestError: if there are no ids, or more than :data:`MAX_PICTURES`, or ``of`` is neither
            'samples' nor 'questions'.
    """
    if request.of not in ('samples', 'questions'):
        raise RequestError(f"of is {quoted(request.of)}: use 'samples' or 'questions'")
    if not 1 <= len(request.ids) <= MAX_PICTURES:
        raise RequestError(
            f'ids has {len(request.ids)} pictures: ask for 1 to {MAX_PICTURES} at a time'
        )
    return request.of, tuple(map(int, request.ids))
