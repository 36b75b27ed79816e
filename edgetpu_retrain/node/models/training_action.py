# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The action ~/train: one training at a time, in a background thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import time
from typing import Any

from edgetpu_retrain.errors import RequestError, TooFewSamplesError
from edgetpu_retrain.learning import Progress
from edgetpu_retrain.node.models.model_training import Cancellation, train_model, TrainedModel
from edgetpu_retrain.node.models.training_goal import MAX_GOALS, training_options
from edgetpu_retrain.node.process.error_frames import clear_frames
from edgetpu_retrain.node.requests.background_thread import BackgroundThread
from edgetpu_retrain.node.requests.callback_errors import explain, FOR_THE_USER
from edgetpu_retrain.node.requests.responses import result_of
from edgetpu_retrain.node.resources import NodeResources
from edgetpu_retrain.retraining import TrainingCancelled
from edgetpu_retrain.wording import presentable, sentence
from edgetpu_retrain_interfaces.action import Train
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

# How long the result of a finished goal can be fetched, seconds; the default differs between ROS
# distributions.
_KEEP_RESULT_S = 900
_STEADY = Clock(clock_type=ClockType.STEADY_TIME)


class TrainingAction:
    """
    The action server ``~/train``.

    An action server cannot give a reason when it rejects a goal.  Therefore a goal that is invalid
    or arrives during a training is accepted, then aborted with a message.  A goal is
    rejected only if more than :data:`MAX_GOALS` arrive within 15 minutes.

    Args:
        node: creates the action server.
        active: returns the node's resources; raises RequestError unless the node is active.
        on_change: called with the changed fields of ``Status`` as keywords: ``training`` when a
            training begins, and ``training`` and ``last_training`` when a goal ends.
    """

    def __init__(
        self, node: Node, active: Callable[[], NodeResources], on_change: Callable[..., None]
    ) -> None:
        self._node = node
        self._active = active
        self._on_change = on_change
        self._thread = BackgroundThread('training')
        # Goal id and cancellation of the running training; None = no training is running.  Only
        # the thread of the node's executor accesses this attribute.
        self._running: tuple[bytes, Cancellation] | None = None
        self._accepted: deque[float] = deque(maxlen=MAX_GOALS)
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
        """Cancel a running training, and wait for its thread."""
        if self._running is not None:
            self._running[1].request()
        self._thread.stop()

    def close(self) -> None:
        """Cancel a running training, wait for its thread, and destroy the action server."""
        self.stop()
        self._server.destroy()

    def _accept(self, _goal: Any) -> GoalResponse:
        now = time.monotonic()
        if len(self._accepted) < MAX_GOALS or now - self._accepted[0] >= _KEEP_RESULT_S:
            self._accepted.append(now)
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
            _fill_result(result, trained, time.monotonic() - started)
        except Exception as error:  # noqa: BLE001 - a bug must not end the node
            result.message = self._message(error, goal)
            if isinstance(error, TrainingCancelled) and goal.is_cancel_requested:
                goal.canceled()
            else:
                goal.abort()
            clear_frames(error)
        else:
            line = ' '.join(result.message.splitlines())
            self._node.get_logger().info(f'~/train: {presentable(line)}')
            goal.succeed()
        result.seconds = result.seconds or time.monotonic() - started
        self._on_change(training=self._running is not None, last_training=result.message)
        return result

    def _message(self, error: Exception, goal: Any) -> str:
        """Log why a goal failed or was cancelled, and return the message for its result."""
        if isinstance(error, TrainingCancelled):
            reason = '' if goal.is_cancel_requested else 'The node was deactivated. '
            message = f'{reason}{sentence(error)} The model that was serving goes on.'
            self._node.get_logger().info(f'~/train: {message}')
            return message
        message = explain(self._node, error)
        if isinstance(error, FOR_THE_USER):
            self._node.get_logger().warning(f'no training: {message}')
        return message

    async def _train(self, goal: Any) -> TrainedModel:
        if self._running is not None:
            raise RequestError(
                'A training is running and only one can: wait until it is done, or cancel it.'
            )
        resources = self._active()
        options = training_options(goal.request, resources.parameters)
        if goal.is_cancel_requested:
            raise TrainingCancelled('The training was cancelled before it began.')

        def report(progress: Progress) -> None:
            # After a signal has shut ROS down, publishing raises.
            if self._node.context.ok():
                goal.publish_feedback(_feedback(progress))

        cancellation = Cancellation()
        self._running = (_key(goal), cancellation)
        self._on_change(training=True)
        try:
            work = self._thread.submit(
                train_model,
                resources.store,
                resources.extractor,
                resources.versions,
                options,
                cancellation,
                report,
                resources.workers.wait_until_idle,
                lambda: resources.parameters.keep_models,
            )
            trained: TrainedModel = await result_of(self._node, work)
        except TooFewSamplesError as error:
            # A camera may be the reason why samples are missing.
            raise RequestError(f'{error} {resources.camera_problems()}'.strip()) from error
        finally:
            self._running = None
        return trained


def _key(goal: Any) -> bytes:
    return bytes(goal.goal_id.uuid)


def _feedback(progress: Progress) -> Train.Feedback:
    """Return a feedback message; its ``iteration`` is the number of completed iterations."""
    return Train.Feedback(
        iteration=progress.iteration + 1,
        num_iter=progress.num_iter,
        loss=progress.loss,
        train_accuracy=progress.train_accuracy,
        validation_accuracy=progress.validation_accuracy,
    )


def _fill_result(result: Any, trained: TrainedModel, seconds: float) -> None:
    """Fill the result of a training that took ``seconds``."""
    outcome, version = trained.outcome, trained.version
    result.success = True
    result.seconds = seconds
    result.message = (
        f'{outcome.message} It took {seconds:.1f} s. Model version {version.version} serves: '
        f'{version.path}'
    )
    if trained.remark:
        result.message += f' {sentence(trained.remark)}'
    result.model_path = str(version.path)
    result.model_version = version.version
    result.labels = list(outcome.head.labels)
    result.train_accuracy = outcome.report.train_accuracy
    result.validation_accuracy = outcome.report.accuracy
    result.held_out_unit = outcome.held_out_unit
    result.quantized_validation_accuracy = outcome.quantized_validation_accuracy
    result.confusion_matrix = outcome.report.confusion_matrix.flatten().tolist()
