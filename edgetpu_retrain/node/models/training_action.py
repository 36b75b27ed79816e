# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The action ~/train: one training at a time, beside everything else."""

from __future__ import annotations

from collections.abc import Callable
import time
import traceback
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.learning import Progress
from edgetpu_retrain.node.active_parts import ActiveParts
from edgetpu_retrain.node.models.model_training import Cancellation, TrainedModel
from edgetpu_retrain.node.models.training_goal import GoalLimit, MAX_GOALS, training_options
from edgetpu_retrain.node.models.training_messages import fill_result, progress_feedback
from edgetpu_retrain.node.process.error_frames import clear_frames
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.executor_future import on_executor
from edgetpu_retrain.retraining import TrainingCancelled
from edgetpu_retrain.wording import presentable, quoted, sentence
from edgetpu_retrain_interfaces.action import Train
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

# Seconds for which a finished goal's result can still be fetched; the default differs from one
# ROS distribution to the next.
_KEEP_RESULT_S = 900
_STEADY = Clock(clock_type=ClockType.STEADY_TIME)


class TrainingAction:
    """
    Serves ``~/train``.

    An action cannot say why it rejects a goal.  So every goal is accepted, and one that is bad
    or comes while another runs is aborted at once, with a message.

    Args:
        node: whose action it is.
        active: returns what requests work with, or raises RequestError unless the node is active.
        on_change: called when a training begins (True) or ends (False), with the last message.
    """

    def __init__(
        self,
        node: Node,
        active: Callable[[], ActiveParts],
        on_change: Callable[[bool, str], None],
    ) -> None:
        self._node = node
        self._active = active
        self._on_change = on_change
        self._last_message = ''
        self._thread = BackgroundThread('training')
        # Of the goal that runs; touched by the executor's thread only.
        self._running: tuple[bytes, Cancellation] | None = None
        self._limit = GoalLimit(_KEEP_RESULT_S)
        self._server = ActionServer(
            node,
            Train,
            '~/train',
            self._execute,
            callback_group=ReentrantCallbackGroup(),
            goal_callback=self._accept,
            cancel_callback=self._cancel,
            result_timeout=_KEEP_RESULT_S,
        )

    def stop(self) -> None:
        """Cancel what runs, and wait until its thread has ended."""
        if self._running is not None:
            self._running[1].request()
        self._thread.stop()

    def close(self) -> None:
        """Cancel what runs, wait for its thread, and take the action away."""
        self.stop()
        self._server.destroy()

    def _accept(self, _goal: Any) -> GoalResponse:
        if self._limit.takes(time.monotonic()):
            return GoalResponse.ACCEPT
        self._node.get_logger().warning(
            f'no training: more than {MAX_GOALS} goals came within {_KEEP_RESULT_S} s, so they '
            'are rejected: find out which program sends them',
            throttle_duration_sec=10.0,
            throttle_time_source_type=_STEADY,
        )
        return GoalResponse.REJECT

    def _cancel(self, goal: Any) -> CancelResponse:
        if self._running is not None and self._running[0] == _key(goal):
            in_time = self._running[1].request()
            return CancelResponse.ACCEPT if in_time else CancelResponse.REJECT
        return CancelResponse.ACCEPT

    async def _execute(self, goal: Any) -> Any:
        started = time.monotonic()
        result = Train.Result()
        try:
            trained = await self._train(goal)
        except TrainingCancelled as error:
            result.message = f'{sentence(error)} The model that was serving goes on.'
            if goal.is_cancel_requested:
                goal.canceled()
            else:
                result.message = f'The node was deactivated. {result.message}'
                goal.abort()
            clear_frames(error)
        except RetrainError as error:
            result.message = presentable(sentence(error))
            self._node.get_logger().warning(f'no training: {result.message}')
            goal.abort()
            clear_frames(error)
        except Exception as error:  # noqa: BLE001 - a bug must not end a robot's node
            result.message = f'Internal error, see the log of the node: {quoted(repr(error))}.'
            self._node.get_logger().error(traceback.format_exc())
            goal.abort()
            clear_frames(error)
        else:
            fill_result(result, trained)
            self._node.get_logger().info(result.message)
            goal.succeed()
        result.seconds = time.monotonic() - started
        self._last_message = result.message
        self._on_change(self._running is not None, self._last_message)
        return result

    async def _train(self, goal: Any) -> TrainedModel:
        if self._running is not None:
            raise RequestError(
                'A training is running and only one can: wait for its end or cancel it.'
            )
        parts = self._active()
        options = training_options(goal.request, parts.parameters())
        if goal.is_cancel_requested:
            raise TrainingCancelled('The training was cancelled before it began.')

        def report(progress: Progress) -> None:
            # The training of a node that is being ended has nobody to report to.
            if self._node.context.ok():
                goal.publish_feedback(progress_feedback(progress))

        cancellation = Cancellation()
        self._running = (_key(goal), cancellation)
        self._on_change(True, self._last_message)
        try:
            work = self._thread.submit(parts.training.run, options, cancellation, report)
            trained: TrainedModel = await on_executor(self._node, work)
        finally:
            self._running = None
        return trained


def _key(goal: Any) -> bytes:
    return bytes(goal.goal_id.uuid)
