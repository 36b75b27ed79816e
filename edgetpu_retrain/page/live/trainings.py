# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Trainings: starts and cancels trainings, and sends their progress to the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import time
from typing import Any

from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from aiohttp import web
from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.page.bodies import read_object
from edgetpu_retrain.page.live.changes import Live
from edgetpu_retrain.page.live.messages import feedback_message, training_result
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.wording import sentence

# Minimum interval between two progress messages, and between two polls of the status, seconds.
_PROGRESS_S = 0.1

# Number of polls in which the status must report a training before a request is refused.
_STATUS_POLLS = 5

_BEGUN = {'type': 'training', 'state': 'running', 'iteration': 0, 'num_iter': 0}

_STATES = {GoalStatus.STATUS_SUCCEEDED: 'done', GoalStatus.STATUS_CANCELED: 'cancelled'}


class Trainings:
    """
    Starts and cancels trainings when pages request it.

    Args:
        robot: the robot.
        live: sends the progress to all pages.
    """

    def __init__(self, robot: Robot, live: Live) -> None:
        self._robot = robot
        self._live = live
        self._running: asyncio.Task[None] | None = None

    def add_routes(self, app: web.Application) -> None:
        """Add the routes of trainings to an application."""
        app.router.add_post('/api/train', self._start)
        app.router.add_post('/api/train/cancel', self._cancel)
        app.on_cleanup.append(self._close)

    async def _start(self, request: web.Request) -> web.Response:
        await read_object(request)
        if self._running is not None or await self._trains_elsewhere():
            raise RefusedError(409, 'a training runs already: wait for its end, or cancel it')
        self._robot.check_connected()
        self._running = asyncio.get_running_loop().create_task(self._run())
        return web.json_response({'message': 'The training has started.'}, status=202)

    async def _cancel(self, request: web.Request) -> web.Response:
        await read_object(request)
        # A request without a goal id cancels all goals, including those of other programs.
        response = await self._robot.call(
            RetrainClient.call, CancelGoal, 'train/_action/cancel_goal'
        )
        if not response.goals_canceling:
            raise RefusedError(409, 'no training runs, so there is nothing to cancel')
        return web.json_response({'message': 'The training is being cancelled.'})

    async def _close(self, _app: web.Application) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _trains_elsewhere(self) -> bool:
        for _ in range(_STATUS_POLLS):
            if not getattr(self._robot.status, 'training', False):
                return False
            # The status may be older than the result of the last training.
            await asyncio.sleep(_PROGRESS_S)
        return True

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._live.announce(_BEGUN, keep=True)

        def show(feedback: Any) -> None:
            message = feedback_message(feedback)
            loop.call_soon_threadsafe(lambda: self._live.announce(message, keep=True))

        try:
            state, message, result = await self._robot.call(_train, show)
            end = {'message': message, **({'result': result} if result else {})}
        except RetrainError as error:
            state, end = 'failed', {'message': sentence(error)}
        finally:
            self._running = None
        self._live.announce({'type': 'training', 'state': state, **end})


def _train(
    client: RetrainClient, show: Callable[[Any], object]
) -> tuple[str, str, dict[str, Any] | None]:
    """
    Train, and report the progress; block until the training ends.

    Args:
        client: the client of the node.
        show: called with ``Train.Feedback``.

    Returns:
        The outcome ('done', 'cancelled' or 'failed'); the message for the user; the figures, which
        are None unless the training succeeded.

    Raises:
        RetrainError: if the training cannot be started.
    """
    training = client.train()
    shown = 0.0
    for feedback in training:
        if time.monotonic() - shown >= _PROGRESS_S:
            show(feedback)
            shown = time.monotonic()
    try:
        result = training.result()
    except RetrainError as error:
        return _STATES.get(training.status, 'failed'), sentence(error), None
    return 'done', result.message, training_result(result)
