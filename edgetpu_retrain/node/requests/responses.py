# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Responses of all services: what was done, or what was wrong and what to do."""

from __future__ import annotations

from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
import time
import traceback
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.process.error_frames import clear_frames
from edgetpu_retrain.node.requests.executor_future import on_executor
from edgetpu_retrain.node.requests.refusal_log import RefusalLog
from edgetpu_retrain.wording import presentable, quoted, sentence
from rclpy.node import Node

MAX_WAITING = 100
"""Requests without a response yet; each waits for 10 s while the store is locked."""

MAX_WAITING_BYTES = 256 * 1024 * 1024
"""In the pictures that came with them."""

DEACTIVATED = 'the node was deactivated before it was done: activate it and ask again'


class ServiceResponses:
    """
    Fills the ``success`` and ``message`` of responses.

    Args:
        node: has the services.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._refusals = RefusalLog()
        self._waiting = 0
        self._waiting_bytes = 0

    async def fill(self, response: Any, work: Coroutine[Any, Any, str], *, size: int = 0) -> Any:
        """
        Do the work, and fill the response with what it returns or with the error that it raises.

        Args:
            response: of a service; is returned.
            work: returns a sentence about what was done.
            size: bytes that the request keeps in memory until then, where they are many.
        """
        if self._waiting >= MAX_WAITING or self._waiting_bytes + size > MAX_WAITING_BYTES:
            work.close()
            response.message = (
                f'The node is answering {self._waiting} requests with {self._waiting_bytes} bytes '
                f'of pictures, and no more than {MAX_WAITING} with {MAX_WAITING_BYTES} wait: ask '
                'again when it has answered some.'
            )
            return response
        self._waiting += 1
        self._waiting_bytes += size
        try:
            response.message = presentable(sentence(await work))
            response.success = True
        except RetrainError as error:
            response.message = presentable(sentence(error))
            clear_frames(error)
            line = self._refusals.line(response.message, time.monotonic())
            if line is not None:
                self._node.get_logger().warning(f'request refused: {line}')
        except Exception as error:  # noqa: BLE001 - a bug must not end a robot's node
            if self._node.context.ok():
                response.message = (
                    f'Internal error, see the log of the node: {quoted(repr(error))}.'
                )
                self._node.get_logger().error(traceback.format_exc())
                clear_frames(error)
            else:
                # A signal has ended ROS, and whatever is being done with it then fails.
                response.message = DEACTIVATED
        finally:
            self._waiting -= 1
            self._waiting_bytes -= size
        return response

    async def result_of(self, future: Future[Any]) -> Any:
        """
        Return the result of a thread's future.

        Raises:
            RequestError: when the node was deactivated first.
        """
        try:
            return await on_executor(self._node, future)
        except CancelledError as error:
            raise RequestError(DEACTIVATED) from error
