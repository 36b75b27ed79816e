# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Responses of all services: what was done, or what was wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
import math
import time
import traceback
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.process.error_frames import clear_frames
from edgetpu_retrain.wording import presentable, quoted, sentence
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future as ExecutorFuture

MAX_WAITING = 100
"""Pending requests; each waits up to 10 s while the store is locked."""

MAX_WAITING_BYTES = 256 * 1024 * 1024
"""Bytes of the pictures in pending requests."""

MAX_LOGGED_PER_SECOND = 10
"""Log lines for requests: enough for a person; a faulty program could fill the disk.  rclpy's
``throttle_duration_sec`` would let only one of them through."""

DEACTIVATED = 'the node was deactivated before it was done: activate it and ask again'


class ServiceResponses:
    """
    Creates services, and fills ``success`` and ``message`` of their responses.

    The callbacks are coroutines: while one waits for frames, a device or the disk, the executor
    runs all other callbacks, including other requests to the same service.

    Args:
        node: has the services.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        # In the node's default group, a waiting coroutine would block all other callbacks.
        self.group = ReentrantCallbackGroup()
        self._changes = RequestLog('accepted')
        self._rejections = RequestLog('refused')
        self._waiting = 0
        self._waiting_bytes = 0

    def create_service(
        self,
        service_type: Any,
        name: str,
        work: Callable[[Any, Any], Coroutine[Any, Any, str]],
        size: Callable[[Any], int] = lambda _request: 0,
        *,
        changes: bool = True,
    ) -> None:
        """
        Create a service.

        Args:
            service_type: its type, with ``success`` and ``message`` in the response.
            name: its name.
            work: handles a request: takes request and response, fills the other fields of the
                response and returns a sentence about what was done.
            size: returns how many bytes a pending request keeps in memory, if they are many.
            changes: whether it changes samples or models; what was done is then logged.
        """

        async def respond(request: Any, response: Any) -> Any:
            await self.fill(response, work(request, response), size=size(request))
            if changes and response.success:
                self._log_change(f'{name}: {response.message}')
            return response

        self._node.create_service(service_type, name, respond, callback_group=self.group)

    async def fill(self, response: Any, work: Coroutine[Any, Any, str], *, size: int = 0) -> Any:
        """
        Await the work, and fill the response with the sentence that it returns or with its error.

        Args:
            response: of a service; is returned.
            work: returns a sentence about what was done.
            size: bytes that the pending request keeps in memory.
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
            line = self._rejections.line(response.message, time.monotonic())
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
                # A signal has shut ROS down, and whatever uses it then fails.
                response.message = DEACTIVATED
        finally:
            self._waiting -= 1
            self._waiting_bytes -= size
        return response

    def _log_change(self, message: str) -> None:
        line = self._changes.line(message, time.monotonic())
        if line is not None and self._node.context.ok():
            self._node.get_logger().info(line)


async def result_of(node: Node, future: Future[Any]) -> Any:
    """
    Return the result of a thread's future; meanwhile the executor runs other callbacks.

    Args:
        node: its executor runs the calling coroutine.
        future: completed by any thread.

    Raises:
        RequestError: if the future was cancelled, because the node was deactivated.
        Exception: that of the future.
    """
    completed = ExecutorFuture()

    def complete(_: Future[Any]) -> None:
        completed.set_result(None)
        # Up to Kilted, awaiting polls; an idle executor would never wake up.
        if node.executor is not None:
            node.executor.wake()

    future.add_done_callback(complete)
    await completed
    try:
        return future.result()
    except CancelledError as error:
        raise RequestError(DEACTIVATED) from error


class RequestLog:
    """
    Limits the log lines for requests, and counts the others.

    Args:
        outcome: of these requests, a word for the line about the others.

    >>> rejections = RequestLog('refused')
    >>> lines = [rejections.line('no such label', 7.0) for _ in range(MAX_LOGGED_PER_SECOND + 2)]
    >>> lines[0], lines[-1]
    ('no such label', None)
    >>> rejections.line('no such label', now=8.0)
    'no such label (2 other requests were refused before)'
    """

    def __init__(self, outcome: str) -> None:
        self._outcome = outcome
        self._second = -math.inf
        self._logged = 0
        self._left_out = 0

    def line(self, message: str, now: float) -> str | None:
        """
        Return the line to log for a request, None if too many were logged in this second.

        Args:
            message: of the response.
            now: seconds of :func:`time.monotonic`.
        """
        if now - self._second >= 1.0:
            self._second, self._logged = now, 0
        if self._logged >= MAX_LOGGED_PER_SECOND:
            self._left_out += 1
            return None
        self._logged += 1
        others, self._left_out = self._left_out, 0
        if not others:
            return message
        return f'{message} ({others} other requests were {self._outcome} before)'
