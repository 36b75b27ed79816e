# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A training during which the node does not respond: it goes on, ends, or is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from pathlib import Path
import signal
from typing import Any
from unittest.mock import AsyncMock, Mock

from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from aiohttp import web
from edgetpu_retrain.client import RetrainClientError
from edgetpu_retrain.page import robot as page_robot
from edgetpu_retrain.page.live import trainings as trainings_module
from edgetpu_retrain.page.live.changes import Live
from edgetpu_retrain.page.live.trainings import Trainings
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain_interfaces.action import Train
from edgetpu_retrain_interfaces.msg import Status
import pytest
from support.robot_messages import image_message, pattern
from support.running_node import Person, RunningNode
from support.waiting import PATIENCE_S

# Time limit of the page's requests, seconds.
TIMEOUT_S = 1.0


@pytest.fixture
def parameters(page_extractor: Path, tmp_path: Path) -> dict[str, object]:
    return {'extractor': page_extractor, 'data_dir': tmp_path / 'data', 'min_novelty': -1.0}


@pytest.fixture(autouse=True)
def short_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('_TIMEOUT_S', '_RESPONSE_S'):
        monkeypatch.setattr(page_robot, name, TIMEOUT_S)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""

    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.02)

    await asyncio.wait_for(wait(), PATIENCE_S)


@contextlib.asynccontextmanager
async def training() -> AsyncIterator[tuple[Robot, Person, list[dict[str, Any]]]]:
    """Yield the page's robot, a person who has started a training, and what pages receive."""
    announced: list[dict[str, Any]] = []
    live = Mock(spec=Live)
    live.announce.side_effect = lambda message, **_keep: announced.append(message)
    robot = Robot('edgetpu_retrain', [])
    try:
        Trainings(robot, live)
        with Person() as person:
            person.wait_until_ready()
            person.camera().show(image_message(pattern(1)))
            for label in ('cat', 'dog'):
                assert person.add(label, count=2).success
            await until(lambda: robot.is_connected)
            goal = await asyncio.to_thread(person.start_training, num_iter=10**6)
            await until(lambda: any(each['iteration'] for each in announced))
            yield robot, person, announced
            assert goal is not None
    finally:
        await robot.close()


def states(announced: list[dict[str, Any]]) -> list[str]:
    """Return the states of a training in their order."""
    return list(dict.fromkeys(each['state'] for each in announced))


def test_it_is_not_called_failed_because_the_node_did_not_respond_for_a_while(
    package_path: str, parameters: dict[str, object]
) -> None:
    async def scenario(node: RunningNode) -> None:
        async with training() as (robot, person, announced):
            node.process.send_signal(signal.SIGSTOP)
            await until(lambda: not robot.is_connected)
            await asyncio.sleep(2 * TIMEOUT_S)
            node.process.send_signal(signal.SIGCONT)
            await until(lambda: robot.is_connected)
            assert states(announced) == ['running']
            response = await asyncio.to_thread(
                person.call, CancelGoal, 'train/_action/cancel_goal'
            )
            assert len(response.goals_canceling) == 1
            await until(lambda: states(announced) == ['running', 'cancelled'])

    with RunningNode(package_path, parameters) as node:
        asyncio.run(scenario(node))


def test_it_is_lost_if_the_node_is_restarted(
    package_path: str, parameters: dict[str, object]
) -> None:
    async def scenario(node: RunningNode) -> None:
        async with training() as (robot, _, announced):
            node.end(signal.SIGKILL)
            await until(lambda: not robot.is_connected)
            with RunningNode(package_path, parameters):
                await until(lambda: states(announced) == ['running', 'failed'])
            assert 'was restarted' in announced[-1]['message']

    with RunningNode(package_path, parameters) as node:
        asyncio.run(scenario(node))


TOO_LATE = RetrainClientError('train/_action/get_result did not respond within 15 s')


def response(status: int, message: str = '') -> Any:
    result = Train.Result(message=message)
    return Train.Impl.GetResultService.Response(status=status, result=result)


@pytest.mark.parametrize(
    ('responses', 'state', 'message'),
    [
        # The node ended the training while it did not respond.
        (
            [TOO_LATE, response(GoalStatus.STATUS_SUCCEEDED, 'Trained 2 classes.')],
            'done',
            'Trained 2 classes.',
        ),
        # The node was restarted, so it does not know the training.
        ([TOO_LATE, response(GoalStatus.STATUS_UNKNOWN)], 'failed', 'was restarted'),
        ([TOO_LATE, TOO_LATE], 'failed', 'was restarted'),
    ],
)
def test_its_result_is_requested_once_more_if_the_response_was_lost(
    responses: list[Any], state: str, message: str
) -> None:
    async def scenario() -> None:
        robot = Mock(spec=Robot, is_connected=True, status=Status(training=False), on_feedback=[])
        robot.call = AsyncMock(side_effect=responses)
        live = Mock(spec=Live)
        trainings = Trainings(robot, live)
        trainings._show(Train.Impl.FeedbackMessage())
        assert trainings._running is not None
        await asyncio.wait_for(trainings._running, PATIENCE_S)
        announced = live.announce.call_args.args[0]
        assert announced['state'] == state
        assert message in announced['message']

    asyncio.run(scenario())


def test_of_two_requests_at_once_one_starts_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    async def train(*_: Any) -> None:
        await asyncio.Event().wait()

    async def scenario() -> None:
        # The status is older than the end of the last training.
        robot = Mock(spec=Robot, is_connected=True, status=Status(training=True), on_feedback=[])
        robot.call = AsyncMock(side_effect=train)
        trainings = Trainings(robot, Mock(spec=Live))
        monkeypatch.setattr(trainings_module, 'read_object', AsyncMock())
        requests = [asyncio.ensure_future(trainings._start(Mock())) for _ in range(2)]
        await asyncio.sleep(0)
        robot.status = Status(training=False)
        first, second = await asyncio.gather(*requests, return_exceptions=True)
        assert isinstance(first, web.Response)
        assert isinstance(second, RefusedError)
        assert 'a training runs already' in str(second)
        await trainings._close(Mock())

    asyncio.run(scenario())
