# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Trainings: starts and cancels trainings, and sends their progress to the pages.

A training of another program is shown in the same way: the feedback of an action is a topic, and
whoever knows the id of a goal can request its result.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from aiohttp import web
from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.page.bodies import read_object
from edgetpu_retrain.page.live.changes import Live
from edgetpu_retrain.page.live.messages import feedback_message, training_result
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.wording import sentence
from edgetpu_retrain_interfaces.action import Train
from unique_identifier_msgs.msg import UUID

# Interval of the polls of the status, seconds.
_STATUS_S = 0.1

# Number of polls in which the status must report a training before a request is refused.
_STATUS_POLLS = 5

_BEGUN = {'type': 'training', 'state': 'running', 'iteration': 0, 'num_iter': 0}

# A node does not know a training from before its restart, nor one that ended some time ago.
_UNKNOWN = (
    'It is not known how the training ended, because the node did not respond for a while or was '
    'restarted: if it serves no new version, train again.'
)

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
        self._goal = b''
        robot.on_feedback.append(self._show)

    def add_routes(self, app: web.Application) -> None:
        """Add the routes of trainings to an application."""
        app.router.add_post('/api/train', self._start)
        app.router.add_post('/api/train/cancel', self._cancel)
        app.on_cleanup.append(self._close)

    async def _start(self, request: web.Request) -> web.Response:
        await read_object(request)
        self._robot.check_connected()
        is_busy = self._running is not None or await self._trains_elsewhere()
        # Another request may have started a training meanwhile.
        if is_busy or self._running is not None:
            raise RefusedError(409, 'a training runs already: wait for its end, or cancel it')
        self._follow(uuid4().bytes, is_new=True)
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
            await asyncio.sleep(_STATUS_S)
        return True

    def _show(self, message: Any) -> None:
        """Send the progress of a training; its first feedback may be the first sign of it."""
        goal = bytes(message.goal_id.uuid)
        if self._running is None and goal != self._goal:
            self._follow(goal, is_new=False)
        if self._running is not None and goal == self._goal:
            self._live.announce(feedback_message(message.feedback), keep=True)

    def _follow(self, goal: bytes, *, is_new: bool) -> None:
        """Follow a training until its end; start it first if it is new."""
        self._goal = goal
        self._live.announce(_BEGUN, keep=True)
        self._running = asyncio.get_running_loop().create_task(self._run(is_new=is_new))

    async def _run(self, *, is_new: bool) -> None:
        try:
            if is_new:
                await self._robot.call(_send_goal, self._goal)
            response = await self._response()
            state = _STATES.get(response.status, 'failed')
            end: dict[str, Any] = {'message': response.result.message or _UNKNOWN}
            if state == 'done':
                end['result'] = training_result(response.result)
        except RetrainError as error:
            state, end = 'failed', {'message': sentence(error)}
        finally:
            self._running = None
        self._live.announce({'type': 'training', 'state': state, **end})

    async def _response(self) -> Any:
        """
        Wait for the end of the training, and return its status and result.

        Raises:
            RetrainClientError: if the node does not respond although it does not train any more.
        """
        was_over = False
        while True:
            try:
                return await self._robot.call(
                    RetrainClient.call,
                    Train.Impl.GetResultService,
                    'train/_action/get_result',
                    goal_id=UUID(uuid=list(self._goal)),
                )
            except RetrainError as error:  # noqa: PERF203 - the training may still be running
                # The node responds when the training ends, which may be after the timeout, or
                # after a time in which it does not respond at all.  A node that was restarted has
                # never received the request.  So request the result once more after the end.
                is_running = getattr(self._robot.status, 'training', False)
                is_over = self._robot.is_connected and not is_running
                if is_over and was_over:
                    raise RetrainClientError(_UNKNOWN) from error
                was_over = is_over
                while not self._robot.is_connected:
                    await asyncio.sleep(_STATUS_S)


def _send_goal(client: RetrainClient, goal: bytes) -> None:
    """
    Start a training.

    Unlike the method ``train`` of the client, this does not collect the feedback.

    Args:
        client: the client of the node.
        goal: the id of the training.

    Raises:
        RetrainError: if the training cannot be started.
    """
    goal_id = UUID(uuid=list(goal))
    response = client.call(
        Train.Impl.SendGoalService, 'train/_action/send_goal', goal_id=goal_id, goal=Train.Goal()
    )
    if not response.accepted:
        raise RetrainClientError(f'{client.name} did not accept the training: see its log')
