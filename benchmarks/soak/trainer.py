# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The client of the soak test that trains."""

from __future__ import annotations

from typing import Any

from action_msgs.msg import GoalStatus
from benchmarks.shared.robot import NAME
from benchmarks.soak.client import Client, SECONDS_TO_A_MESSAGE
from edgetpu_retrain_interfaces.action import Train
from rclpy.action import ActionClient


class Trainer:
    """
    Trains repeatedly; cancels every third training, and sends another goal during every fourth.

    Args:
        period_s: seconds from the start of one training to that of the next.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._server: Any = None

    def __call__(self, client: Client, number: int) -> None:
        """Train once."""
        if self._server is None:
            self._server = ActionClient(client.node, Train, f'{NAME}/train')
            # A goal that is rejected can be repeated until the node has discovered this client.
            status, _ = self._train(client, Train.Goal(seed=-2), first=True)
            if status != GoalStatus.STATUS_ABORTED:
                client.record.error(f'a seed of -2 should have been rejected: status {status}')
        cancelled = number % 3 == 2
        goal = Train.Goal(seed=number, print_every=5)
        status, result = self._train(client, goal, cancelled=cancelled, doubled=number % 4 == 3)
        if cancelled and status == GoalStatus.STATUS_CANCELED:
            client.record.count('trainings cancelled')
        elif status == GoalStatus.STATUS_SUCCEEDED and result.success:
            client.record.count('trainings')
        else:
            client.record.error(f'training ended with status {status}: {result.message}')
        client.pause(max(0.0, self._period_s - result.seconds))

    def _train(
        self,
        client: Client,
        goal: Any,
        *,
        first: bool = False,
        cancelled: bool = False,
        doubled: bool = False,
    ) -> tuple[int, Any]:
        feedback: list[Any] = []
        if not self._server.wait_for_server(SECONDS_TO_A_MESSAGE):
            raise TimeoutError('there is no action train')

        def send() -> Any:
            return self._server.send_goal_async(goal, feedback.append)

        handle = (client.wait_for_first_response if first else client.wait_for_response)(
            send, 'train'
        )
        ended = handle.get_result_async()
        if cancelled:
            client.spin_until(lambda: bool(feedback) or ended.done(), SECONDS_TO_A_MESSAGE)
            client.wait_for_response(handle.cancel_goal_async, 'cancelling')
        if doubled:
            status, result = self._train(client, Train.Goal())
            if status == GoalStatus.STATUS_SUCCEEDED:
                client.record.count('trainings')
            elif 'A training is running' not in result.message:
                client.record.error(
                    f'a second training should have been rejected: {result.message}'
                )
        response = client.wait_for_response(lambda: ended, 'the result of train')
        return response.status, response.result
