# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Training: a goal of ``~/train`` that the node has accepted."""

from __future__ import annotations

from collections.abc import Iterator
import queue
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain.client.connection import checked, Connection

# Seconds to wait for feedback between two checks of whether the training has ended, and once more
# after its end.  Feedback is a topic, so it can arrive after the result.
_POLL_S = 0.1


class Training:
    """
    A training on the robot.

    Iterating over it yields each ``Train.Feedback`` until the training ends or the node stops.

    Args:
        connection: the connection to the node.
        handle: the goal handle.
        feedback: the queue of the goal's feedback messages.
    """

    def __init__(
        self, connection: Connection, handle: Any, feedback: queue.SimpleQueue[Any]
    ) -> None:
        self._connection = connection
        self._handle = handle
        self._feedback = feedback
        self._ended = connection.send(handle.get_result_async)

    def __iter__(self) -> Iterator[Any]:
        while True:
            is_over = self.is_done or not self._connection.is_connected
            try:
                yield self._feedback.get(timeout=_POLL_S)
            except queue.Empty:
                if is_over:
                    return

    def cancel(self) -> None:
        """Request cancellation; if the training is cancelled, :meth:`result` raises."""
        asked = self._connection.send(self._handle.cancel_goal_async)
        self._connection.wait(asked, 'cancelling', self._connection.timeout_s)

    @property
    def is_done(self) -> bool:
        """Whether the training has ended, with or without success, or the client was closed."""
        return self._ended.done()

    @property
    def status(self) -> int:
        """
        How the training ended, a constant of ``GoalStatus``; before that, STATUS_EXECUTING.

        Reading it raises RetrainClientError if the client was closed before the training ended.
        """
        return int(self._ended.result().status if self.is_done else GoalStatus.STATUS_EXECUTING)

    def result(self, timeout_s: float | None = None) -> Any:
        """
        Wait for the end of the training, and return its ``Train.Result``.

        Args:
            timeout_s: timeout, seconds; None = wait as long as the node is running.

        Raises:
            RetrainClientError: if the training fails or is cancelled (with the node's message),
                the node stops, or the training does not end in time.
        """
        ended = self._connection.wait(self._ended, 'the training', timeout_s, waits_again=True)
        return checked(ended.result)
