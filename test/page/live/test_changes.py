# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a page hears: status, trainings, changes; and what it may not say."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import aiohttp
from edgetpu_retrain.page.live.changes import Live
from edgetpu_retrain_interfaces.msg import Status
import pytest
from support.page_program import PageProgram, Phone, run
from support.running_node import Person
from support.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures('measured_processes', 'person')


async def taught(phone: Phone) -> None:
    """Teach two classes with the same picture."""
    await phone.connected()
    for label in ('cat', 'dog'):
        await phone.hold(5, label)


def test_pages_reload_everything_when_the_node_is_back() -> None:
    status = Status(state='active', labels=['cat'], counts=[3], model_version=2)
    robot: Any = SimpleNamespace(on_status=[], status=status, is_connected=True)
    sockets: Any = None
    live = Live(robot, sockets)
    heard: list[str] = []
    live._pages.add(Mock(send=lambda kind, _message: heard.append(kind)))
    (status_changed,) = robot.on_status
    everything = ['samples', 'questions', 'models', 'analysis']
    for is_connected, kinds in ((True, []), (False, []), (True, everything), (True, [])):
        heard.clear()
        robot.is_connected = is_connected
        status_changed()
        assert heard == ['status', *kinds]


def test_a_page_hears_the_status_at_once_and_what_others_change(
    page: PageProgram, person: Person
) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone, Phone(page.url()) as other:
            await phone.connected()
            await other.connected()
            status = phone.heard[-1]
            assert status['cameras'] == ['camera']
            assert status['training'] is False
            # Images may be lost on a busy machine.
            assert all('images' in problem for problem in status['problems'])
            assert person.add('mouse', count=2).success
            for each in (phone, other):
                await each.hear('status', lambda status: 'mouse' in status['labels'])
                await each.hear('samples')
            assert person.remove('mouse').success
            await phone.hear('status', lambda status: 'mouse' not in status['labels'])
            await phone.hear('samples')

    run(scenario())


def test_a_training_shows_its_progress_and_its_result(page: PageProgram) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone, Phone(page.url()) as other:
            await taught(phone)
            assert (await phone.post('/api/train'))[0] == 202
            for each in (phone, other):
                await each.hear('training', lambda message: message['state'] == 'running')
                done = await each.hear('training', lambda message: message['state'] == 'done')
            assert 'Trained 2 classes' in done['message']
            result = done['result']
            assert result['labels'] == ['cat', 'dog']
            assert len(result['confusion_matrix']) == 4

    run(scenario())


def test_a_training_that_was_started_elsewhere_is_shown_and_cancelled(
    page: PageProgram, person: Person
) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            await taught(phone)
            status, message = await phone.post('/api/train/cancel')
            assert (status, 'nothing to cancel' in message) == (409, True)
            started = asyncio.to_thread(person.train, num_iter=1_000_000)
            training = asyncio.create_task(started)
            await phone.hear('status', lambda status: status['training'])
            progress = await phone.hear('training', lambda message: message['iteration'] > 0)
            assert (progress['state'], progress['num_iter'] > 1) == ('running', True)
            status, message = await phone.post('/api/train')
            assert (status, 'runs already' in message) == (409, True)
            # A sample can be added meanwhile.
            assert (await phone.hold(2, 'cat'))['reason'] == 'released'
            assert (await phone.post('/api/train/cancel'))[0] == 200
            ended = await phone.hear('training', lambda message: message['state'] != 'running')
            assert (ended['state'], ended['message']) == ('cancelled', (await training)[1].message)
            # Its feedback that arrives late does not begin it again.
            _, result = await asyncio.to_thread(person.train, num_iter=1000)
            ended = await phone.hear('training', lambda message: message['state'] != 'running')
            assert (ended['state'], ended['message']) == ('done', result.message)
            assert ended['result']['model_version'] == result.model_version

    run(scenario())


def test_messages_of_other_kinds_are_refused_in_a_sentence(page: PageProgram) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            for text in ('{', '[]', '"hold"', '{"type": 1}', '{"type": "<b>"}', '[' * 4000):
                await phone.live.send_str(text)
                refused = await phone.hear('refused')
                assert refused['message'].endswith('.')
            await phone.live.send_bytes(b'binary')
            assert 'no text' in (await phone.hear('refused'))['message']
            await phone.say(type='ping')
            await phone.hear('pong')

    run(scenario())


def test_a_page_that_floods_the_server_is_closed(page: PageProgram) -> None:
    async def scenario() -> None:
        async with Phone(page.url()) as phone:
            for _ in range(2000):
                if phone.live.closed:
                    break
                with contextlib.suppress(ConnectionError):
                    await phone.say(type='ping')
            while (await asyncio.wait_for(phone.live.receive(), PATIENCE_S)).type not in {
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.CLOSING,
            }:
                pass
        async with Phone(page.url()) as phone:
            await phone.connected()

    run(scenario())
