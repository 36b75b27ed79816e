# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Training: a goal of ``~/train`` that the node has accepted."""

from __future__ import annotations

from collections.abc import Iterator
import queue
from typing import Any

from edgetpu_retrain.client.connection import checked, Connection, RETRY_S


class Training:
    """
    A training that runs on the robot.

    Iterating yields each ``Train.Feedback`` until the training ends.

    Args:
        connection: to the node.
        handle: of the goal.
        feedback: receives the feedback of the goal.
    """

    def __init__(
        self, connection: Connection, handle: Any, feedback: queue.SimpleQueue[Any]
    ) -> None:
        self._connection = connection
        self._handle = handle
        self._feedback = feedback
        self._ended = connection.send(handle.get_result_async)
        self._ended.add_done_callback(lambda _: feedback.put(None))

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                feedback = self._feedback.get(timeout=RETRY_S)
            except queue.Empty:
                if self._connection.is_connected:
                    continue
                return
            if feedback is None:
                return
            yield feedback

    def cancel(self) -> None:
        """Request the end of the training; its result is then an error that says so."""
        asked = self._connection.send(self._handle.cancel_goal_async)
        self._connection.wait(asked, 'cancelling')

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self._ended.done()

    def result(self, timeout_s: float | None = None) -> Any:
        """
        Wait for the end of the training and return its ``Train.Result``.

        Raises:
            RetrainClientError: with the node's message if it failed or was cancelled, or if it
                has not ended within ``timeout_s`` seconds.
        """
        return checked(self._connection.wait(self._ended, 'the training', timeout_s).result)
