# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Who trains all along in ``benchmarks/soak``."""

from __future__ import annotations

from typing import Any

from action_msgs.msg import GoalStatus
from benchmarks.shared.robot import NAME
from benchmarks.soak.client import Client, SECONDS_TO_A_MESSAGE
from edgetpu_retrain_interfaces.action import Train
from rclpy.action import ActionClient


class Trainer:
    """
    Trains again and again; each third training is cancelled, at each fourth somebody else asks.

    Args:
        period_s: from the beginning of one to that of the next, seconds.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._server: Any = None

    def __call__(self, client: Client, number: int) -> None:
        """Train once."""
        if self._server is None:
            self._server = ActionClient(client.node, Train, f'{NAME}/train')
            # What is refused can be repeated until the node knows who asks.
            status, _ = self._train(client, Train.Goal(seed=-2), first=True)
            if status != GoalStatus.STATUS_ABORTED:
                client.record.error(f'a seed of -2 should have been refused: status {status}')
        cancelled = number % 3 == 2
        goal = Train.Goal(seed=number, print_every=5)
        status, result = self._train(client, goal, cancelled=cancelled, doubled=number % 4 == 3)
        if cancelled and status == GoalStatus.STATUS_CANCELED:
            client.record.count('trainings cancelled')
        elif status == GoalStatus.STATUS_SUCCEEDED and result.success:
            client.record.count('trainings')
        else:
            client.record.error(f'training ended with status {status}: {result.message}')
        client.rest(max(0.0, self._period_s - result.seconds))

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

        handle = (client.first_answered if first else client.answered)(send, 'train')
        ended = handle.get_result_async()
        if cancelled:
            client.spin_until(lambda: bool(feedback) or ended.done(), SECONDS_TO_A_MESSAGE)
            client.answered(handle.cancel_goal_async, 'cancelling')
        if doubled:
            status, result = self._train(client, Train.Goal())
            if status == GoalStatus.STATUS_SUCCEEDED:
                client.record.count('trainings')
            elif 'A training is running' not in result.message:
                client.record.error(f'a second training ended otherwise: {result.message}')
        response = client.answered(lambda: ended, 'the result of train')
        return response.status, response.result
