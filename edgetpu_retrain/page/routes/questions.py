# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Questions: list, label, dismiss."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from edgetpu_retrain.page.routes.fields import body_of, ids, query_of, text, whole
from edgetpu_retrain.page.routes.robot_access import announce, call
from edgetpu_retrain.page.routes.samples import seconds
from edgetpu_retrain_interfaces.srv import AnswerQuestions, ListQuestions

MAX_QUESTIONS = 1000
"""Maximum number of questions in a request or a list, as in the services."""

routes = web.RouteTableDef()


@routes.get('/api/questions', allow_head=False)
async def list_questions(request: web.Request) -> web.Response:
    """List the open questions, newest first, up to a limit."""
    query = query_of(request, limit=whole(0, MAX_QUESTIONS, default=50))
    found = await call(request, ListQuestions, 'list_questions', **query)
    return web.json_response(
        {'total': found.total, 'questions': [_as_json(each) for each in found.questions]}
    )


@routes.post('/api/questions/answer')
async def answer(request: web.Request) -> web.Response:
    """Label questions; with the label '', dismiss them."""
    given = await body_of(request, ids=ids(MAX_QUESTIONS), label=text())
    done = await call(request, AnswerQuestions, 'answer_questions', **given)
    announce(request, 'questions', *(['samples'] if given['label'] else []))
    return web.json_response(
        {'message': done.message, 'answered': done.answered, 'questions': done.questions}
    )


def _as_json(question: Any) -> dict[str, Any]:
    return {
        'id': question.id,
        'kind': question.kind,
        'camera': question.camera,
        'stamp': seconds(question.stamp),
        'labels': list(question.labels),
        'scores': [round(float(score), 4) for score in question.scores],
        'model_version': question.model_version,
        'has_image': question.has_image,
    }
