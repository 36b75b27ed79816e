# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.requests.responses import (
    MAX_LOGGED_PER_SECOND,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    RequestLog,
    ServiceResponses,
)


def response() -> Any:
    return SimpleNamespace(success=False, message='')


def node_that_tells(told: list[str]) -> Any:
    """Return a node whose warnings are appended to a list."""
    logger = SimpleNamespace(warning=told.append)
    return SimpleNamespace(get_logger=lambda: logger)


async def responses_to_many(sizes: list[int], told: list[str]) -> list[Any]:
    """Return the responses to requests that all wait until the last one has come."""
    responses, everybody_came = ServiceResponses(node_that_tells(told)), asyncio.Event()

    async def work() -> str:
        await everybody_came.wait()
        return 'done'

    waiting = [
        asyncio.create_task(responses.fill(response(), work(), size=size)) for size in sizes
    ]
    await asyncio.sleep(0)
    everybody_came.set()
    answered = await asyncio.gather(*waiting)
    # Those that were answered make room.
    assert (await responses.fill(response(), work())).success
    return list(answered)


def test_the_number_of_pending_requests_is_limited() -> None:
    told: list[str] = []
    answered = asyncio.run(responses_to_many([0] * (MAX_WAITING + 2), told))
    assert [each.success for each in answered] == [True] * MAX_WAITING + [False] * 2
    assert 'answering 100 requests' in answered[-1].message
    assert answered[-1].message.endswith('ask again when it has answered some.')
    assert told == [f'request refused: {each.message}' for each in answered[-2:]]


def test_the_bytes_of_pending_pictures_are_limited() -> None:
    half = MAX_WAITING_BYTES // 2
    answered = asyncio.run(responses_to_many([half, half, 1, 0], []))
    assert [each.success for each in answered] == [True, True, False, True]


def test_what_was_sent_cannot_command_a_terminal() -> None:
    told: list[str] = []
    node = node_that_tells(told)

    async def work() -> str:
        raise RequestError('no \x1b[31m\nred \u202e' + 'x' * 10_000)

    refused = asyncio.run(ServiceResponses(node).fill(response(), work()))
    assert not refused.success
    assert refused.message.startswith('no \\x1b[31m\\nred \\u202e')
    assert len(refused.message) < 2100
    assert told == [f'request refused: {refused.message}']


def test_a_flood_of_rejections_is_counted() -> None:
    rejections = RequestLog('refused')
    logged = [rejections.line('no', now=each / 1000) for each in range(1000)]
    assert logged == ['no'] * MAX_LOGGED_PER_SECOND + [None] * (1000 - MAX_LOGGED_PER_SECOND)
    assert rejections.line('no', now=1.0) == 'no (990 other requests were refused before)'
    assert rejections.line('no', now=1.0) == 'no'
