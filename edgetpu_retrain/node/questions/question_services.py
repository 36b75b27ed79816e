# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The services that list and label questions, and return pictures."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.node.cameras.message_header import stamp_parts
from edgetpu_retrain.node.questions.question_requests import (
    answer_request,
    list_questions_request,
    MAX_PICTURE_BYTES,
    Of,
    pictures_request,
)
from edgetpu_retrain.node.requests.responses import result_of, ServiceResponses
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain.store.questions.question import StoredQuestion
from edgetpu_retrain.store.questions.question_store import picture_of
from edgetpu_retrain.wording import counted
from edgetpu_retrain_interfaces.msg import Picture, Question
from edgetpu_retrain_interfaces.srv import AnswerQuestions, GetPictures, ListQuestions
from rclpy.node import Node


class QuestionServices:
    """
    The services for questions, and the service for pictures.

    Args:
        node: creates the services.
        active: returns the node's resources; raises RequestError unless the node is active.
    """

    def __init__(self, node: Node, active: Callable[[], NodeResources]) -> None:
        self._node = node
        self._active = active
        responses = ServiceResponses(node)
        responses.create_service(ListQuestions, '~/list_questions', self._list, changes=False)
        responses.create_service(AnswerQuestions, '~/answer_questions', self._answer)
        responses.create_service(GetPictures, '~/get_pictures', self._get_pictures, changes=False)

    async def _list(self, request: Any, response: Any) -> str:
        resources = self._active()
        samples = resources.samples
        limit = list_questions_request(request)
        response.total = await self._count()
        if limit:
            listing = samples.read(
                lambda: samples.questions.list_questions(limit, extractor=samples.extractor)
            )
            newest = await result_of(self._node, listing)
            response.questions = [_question_message(each) for each in newest]
        off = (
            ''
            if resources.parameters.max_questions
            else '; max_questions is 0: no frames are kept'
        )
        return f'{_questions(response.total)} to label{off}'

    async def _answer(self, request: Any, response: Any) -> str:
        samples = self._active().samples
        try:
            ids, label = answer_request(request)
            answering = samples.change(
                lambda: (
                    samples.questions.answer(ids, label)
                    if label
                    else samples.questions.dismiss(ids)
                )
            )
            response.answered = await result_of(self._node, answering)
        finally:
            # If counting fails, leave the totals 0: the result itself is more important.
            with suppress(RetrainError):
                response.questions = await self._count()
                counts = await result_of(self._node, samples.counts())
                response.label_total = counts.get(request.label, 0)
                response.total = sum(counts.values())
        if not label:
            return f'{_questions(response.answered)} dismissed'
        what = counted(response.answered, 'question is', 'questions are')
        return f'{what} labelled {label!r} now; train to apply this to the model'

    async def _get_pictures(self, request: Any, response: Any) -> str:
        resources = self._active()
        of, ids = pictures_request(request)
        reading = resources.samples.read(lambda: pictures_of(resources, of, ids))
        response.pictures = [
            Picture(id=number, jpeg=array('B', jpeg))
            for number, jpeg in await result_of(self._node, reading)
        ]
        return f'{counted(len(response.pictures), "picture", "pictures")} of {len(ids)} {of}'

    async def _count(self) -> int:
        samples = self._active().samples
        counting = samples.read(lambda: samples.questions.count(extractor=samples.extractor))
        return int(await result_of(self._node, counting))


def pictures_of(resources: Any, of: Of, ids: tuple[int, ...]) -> list[tuple[int, bytes]]:
    """
    Return the ids and JPEG files of pictures, in the order of ``ids``.

    Ids without a picture are skipped.  The list ends before the total size would exceed
    :data:`MAX_PICTURE_BYTES`, but always contains the first picture.

    Args:
        resources: the node's resources, of which the ``store`` is used.
        of: whether the pictures are of samples or of questions.
        ids: ids of samples or questions.

    Raises:
        StoreError: if the store cannot be read.
    """
    pictures: list[tuple[int, bytes]] = []
    with resources.store.snapshot() as snapshot:
        size = 0
        for number in ids:
            if of == 'samples':
                stored = snapshot.picture(number)
                jpeg = stored.jpeg if stored is not None else None
            else:
                jpeg = picture_of(snapshot, number)
            if jpeg is not None:
                size += len(jpeg)
                if pictures and size > MAX_PICTURE_BYTES:
                    break
                pictures.append((number, jpeg))
    return pictures


def _question_message(question: StoredQuestion) -> Question:
    message = Question(
        id=question.question_id,
        kind=question.kind,
        camera=question.camera,
        labels=[each.label for each in question.given],
        scores=[each.score for each in question.given],
        model_version=question.model_version,
        has_image=question.has_image,
    )
    message.stamp.sec, message.stamp.nanosec = stamp_parts(question.stamp_ns)
    return message


def _questions(count: int) -> str:
    return counted(count, 'question', 'questions')
