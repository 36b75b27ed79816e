# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Sends goals to the action ~/train of a retrain node over DDS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edgetpu_retrain_interfaces.action import Train
from rclpy.action import ActionClient
from support.service_client import ServiceClient
from support.waiting import Collected, PATIENCE_S, wait_for


@dataclass
class Goal:
    """An accepted goal of ~/train."""

    handle: Any
    result: Any
    in_executor: Callable[[Callable[[], Any]], Any]
    feedback: Collected[Any] = field(default_factory=Collected)

    def wait(self, patience_s: float = PATIENCE_S) -> tuple[int, Any]:
        """Wait until the training has ended, and return status and result."""
        response = wait_for(self.result, patience_s)
        return response.status, response.result

    def cancel(self) -> Any:
        """Request cancellation and return the response."""
        return wait_for(self.in_executor(self.handle.cancel_goal_async))


class TrainingClient(ServiceClient):
    """
    A ROS node in this process that calls the services and the action of a retrain node.

    Args:
        name: of this node.
        retrain_node: full name of the retrain node.
    """

    def __init__(self, name: str, retrain_node: str) -> None:
        super().__init__(name, retrain_node)
        self._train = ActionClient(self.node, Train, f'{retrain_node}/train')

    def close(self) -> None:
        """Stop spinning and destroy the node."""
        self.stop_spinning()
        self._train.destroy()
        super().close()

    def wait_for_services(self) -> None:
        """Wait until the node responds to requests and goals."""
        assert self._train.wait_for_server(timeout_sec=PATIENCE_S)
        super().wait_for_services()

    def start_training(self, **fields: Any) -> Goal:
        """Send a goal and return it as soon as it is accepted."""
        feedback: Collected[Any] = Collected()

        def send() -> Any:
            return self._train.send_goal_async(
                Train.Goal(**fields),
                feedback_callback=lambda message: feedback.append(message.feedback),
            )

        handle = wait_for(self._in_executor(send))
        assert handle.accepted
        result = self._in_executor(handle.get_result_async)
        return Goal(handle, result, self._in_executor, feedback)

    def _in_executor(self, request: Callable[[], Any]) -> Any:
        """
        Call the action's client in the executor's thread, and return the future of the response.

        The action's client drops a response that another thread takes before the client has stored
        the request (rclpy/action/client.py).
        """
        return wait_for(self.executor.create_task(request))

    def train(self, **fields: Any) -> tuple[int, Any]:
        """Send a goal, wait for its end, and return status and result."""
        return self.start_training(**fields).wait()
