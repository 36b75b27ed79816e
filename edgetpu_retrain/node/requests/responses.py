# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ServiceResponses: creates services whose responses state what was done or what failed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
import math
import time
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.node.process.error_frames import clear_frames
from edgetpu_retrain.node.requests.callback_errors import explain, FOR_THE_USER
from edgetpu_retrain.wording import presentable, sentence
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future as ExecutorFuture

MAX_WAITING = 100
"""Maximum number of pending requests of an instance; a locked store may delay each by 10 s."""

MAX_WAITING_BYTES = 256 * 1024 * 1024
"""Maximum total size of the pictures in pending requests, bytes."""

MAX_LOGGED_PER_SECOND = 10
"""
Maximum number of log lines a second about accepted requests, and as many about rejected ones.

The limit keeps a faulty program from filling the disk.  ``throttle_duration_sec`` of rclpy would
log only one of several simultaneous requests.
"""

DEACTIVATED = 'the node was deactivated before it was done: activate it and ask again'


class ServiceResponses:
    """
    Creates services, and fills ``success`` and ``message`` of their responses.

    The callbacks are coroutines: while one waits for frames, a device or the disk, the executor
    runs all other callbacks, including callbacks of the same service.

    Args:
        node: creates the services.
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
        line: Callable[[Any, Any], str] = lambda _request, response: str(response.message),
    ) -> None:
        """
        Create a service.

        Args:
            service_type: type of the service, with ``success`` and ``message`` in the response.
            name: name of the service.
            work: called with request and response; fills the other fields of the response, and
                returns a sentence about what was done.
            size: returns the size of the pictures in a request, bytes.
            changes: whether the service changes samples or models; successful requests are then
                logged.
            line: returns what is logged about a request and its response; '' = nothing.
        """

        async def respond(request: Any, response: Any) -> Any:
            await self.fill(response, work(request, response), size=size(request))
            if changes and response.success and (words := line(request, response)):
                self._log_change(f'{name}: {words}')
            return response

        self._node.create_service(service_type, name, respond, callback_group=self.group)

    async def fill(self, response: Any, work: Coroutine[Any, Any, str], *, size: int = 0) -> Any:
        """
        Await a coroutine, and fill ``success`` and ``message`` with its result or its error.

        If too many requests, or too many bytes of pictures, are pending, the coroutine is not run,
        and ``message`` says so.

        Args:
            response: the response of a service.
            work: the coroutine; returns a sentence about what was done.
            size: size of the pictures in the request, bytes.

        Returns:
            The response.
        """
        if self._waiting >= MAX_WAITING or self._waiting_bytes + size > MAX_WAITING_BYTES:
            work.close()
            response.message = (
                f'The node is answering {self._waiting} requests with {self._waiting_bytes} bytes '
                f'of pictures, and no more than {MAX_WAITING} with {MAX_WAITING_BYTES} wait: ask '
                'again when it has answered some.'
            )
            self._log_rejection(response.message)
            return response
        self._waiting += 1
        self._waiting_bytes += size
        try:
            response.message = presentable(sentence(await work))
            response.success = True
        except Exception as error:  # noqa: BLE001 - the response reports it
            if isinstance(error, RetrainError) or self._node.context.ok():
                response.message = explain(self._node, error)
            else:
                # A signal can shut ROS down at any time; calls to rclpy then fail.
                response.message = DEACTIVATED
            clear_frames(error)
            if isinstance(error, FOR_THE_USER):
                self._log_rejection(response.message)
        finally:
            self._waiting -= 1
            self._waiting_bytes -= size
        return response

    def _log_rejection(self, message: str) -> None:
        line = self._rejections.line(message, time.monotonic())
        if line is not None:
            self._node.get_logger().warning(f'request refused: {line}')

    def _log_change(self, message: str) -> None:
        line = self._changes.line(message, time.monotonic())
        if line is not None and self._node.context.ok():
            self._node.get_logger().info(line)


async def result_of(node: Node, future: Future[Any]) -> Any:
    """
    Await a future of another thread, without blocking other callbacks; return its result.

    Args:
        node: the node whose executor runs the calling coroutine.
        future: the future; any thread may complete it.

    Raises:
        RequestError: if the future was cancelled, because the node was deactivated.
        Exception: the exception of the future.
    """
    completed = ExecutorFuture()

    def complete(_: Future[Any]) -> None:
        completed.set_result(None)
        # Up to Kilted, an executor resumes waiting coroutines only when something wakes it.
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
    Limits the log lines about requests, and counts the requests that are not logged.

    Args:
        outcome: what happened to the requests, a word such as 'refused'.

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
        Return the line to log for a request; None if too many lines were logged in this second.

        Args:
            message: the message of the response.
            now: the current time, seconds of :func:`time.monotonic`.
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
