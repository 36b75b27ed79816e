# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Robot: connects asyncio code to the retrain node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
import contextlib
from functools import partial
import threading
import time
from typing import Any, TypeVar

from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.processes.joining import initializing, joining_domain
from edgetpu_retrain_interfaces.action import Train
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

NODE_NAME = 'edgetpu_retrain_page'

# Pause between two checks of whether the node responds, and the time limit of a check, seconds.
# Discovery is not enough: DDS lists a killed process for another 20 s.
_CHECK_S = 1.0
_RESPONSE_S = 5.0

# Time limit of a request to the node, seconds.
_TIMEOUT_S = 15.0

# Minimum interval between two feedback messages of a training that are passed on, seconds.
_FEEDBACK_S = 0.1

# Maximum number of simultaneous requests to the node; further requests wait.
_REQUESTS = 16

Result = TypeVar('Result')


class Robot:
    """
    Connects asyncio code to the retrain node.

    Requests run in threads, because the methods of ``RetrainClient`` block.  Create a ``Robot`` in
    a running event loop.

    Args:
        node: name of the retrain node; a relative name is in the namespace of the page's node.
        arguments: command line with ROS arguments; None = ``sys.argv``.

    Attributes:
        node: the page's own ROS node, which subscribes to images; see ``in_ros``.
        name: full name of the retrain node.
        is_connected: whether the retrain node responded to the last check.
        on_status: functions without arguments, called in the event loop after each ``Status`` and
            whenever ``is_connected`` changes.
        on_result: functions that are called in the event loop with each ``Result``.
        on_feedback: functions that are called in the event loop with the feedback of trainings,
            also of those that other programs have started: the first of each training, and then
            at most ten times a second.

    Raises:
        RequestError: if a ROS argument is invalid.
        NodeError: if the middleware rejects the node.
    """

    def __init__(self, node: str, arguments: list[str] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = rclpy.Context()
        with initializing():
            rclpy.init(args=arguments, context=self._context)
        with joining_domain(self._context):
            self.node = rclpy.create_node(
                NODE_NAME, context=self._context, start_parameter_services=False
            )
        self._client = RetrainClient(self.node, node, _TIMEOUT_S)
        self.name = self._client.name
        self.is_connected = False
        self.on_status: list[Callable[[], None]] = []
        self.on_result: list[Callable[[Any], None]] = []
        self.on_feedback: list[Callable[[Any], None]] = []
        self._last_feedback = b'', 0.0
        self._client.on_status(self._in_loop(lambda _status: self._announce()))
        self._client.on_result(self._in_loop(self._receive_result))
        self._pass_on_feedback = self._in_loop(self._receive_feedback)
        feedback = f'{self.name}/train/_action/feedback'
        self.node.create_subscription(
            Train.Impl.FeedbackMessage, feedback, self._limit_feedback, 1
        )
        self._threads = ThreadPoolExecutor(_REQUESTS, 'request')
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._ending = threading.Event()
        self._images = threading.Thread(target=self._spin, name='images', daemon=True)
        self._images.start()
        self._watching = self._loop.create_task(self._watch())

    async def close(self) -> None:
        """Stop all threads, and destroy the ROS node; pending requests fail."""
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watching
        await self._loop.run_in_executor(None, self._close)

    @property
    def status(self) -> Any:
        """The latest ``Status``; None before the first one."""
        return self._client.status

    def check_connected(self) -> None:
        """
        Check that the node is connected; this sends no request.

        Raises:
            RefusedError: if the node did not respond to the last check.
        """
        if not self.is_connected:
            raise RefusedError(
                503, f'the node {self.name} is not running: start it, then try again'
            )

    async def call(self, method: Callable[..., Result], *args: Any, **fields: Any) -> Result:
        """
        Run a method of the client in a thread, and return its result.

        Args:
            method: a method of ``RetrainClient``, or a function whose first argument is a client.
            args: positional arguments after the client.
            fields: keyword arguments.

        Raises:
            RefusedError: if the node is not connected.
            RetrainClientError: if the method raises it.
        """
        self.check_connected()
        work = partial(method, self._client, *args, **fields)
        return await self._loop.run_in_executor(self._threads, work)

    def in_ros(self, work: Callable[[], Result]) -> Future[Result]:
        """Run a function in the thread of the ROS executor; return a future of its result."""
        done: Future[Result] = Future()
        # A request may be cancelled before the function runs.  Setting the result of a cancelled
        # future would raise, and end the thread.  A future that is running cannot be cancelled.
        done.set_running_or_notify_cancel()

        def run() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001 - passed on by the future
                done.set_exception(error)

        self._executor.create_task(run)
        return done

    def _in_loop(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        def call(message: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the event loop is closed
                self._loop.call_soon_threadsafe(callback, message)

        return call

    def _announce(self) -> None:
        for callback in self.on_status:
            callback()

    def _receive_result(self, result: Any) -> None:
        for callback in self.on_result:
            callback(result)

    def _limit_feedback(self, feedback: Any) -> None:
        training, now = bytes(feedback.goal_id.uuid), time.monotonic()
        last_training, last = self._last_feedback
        if training != last_training or now - last >= _FEEDBACK_S:
            self._last_feedback = training, now
            self._pass_on_feedback(feedback)

    def _receive_feedback(self, feedback: Any) -> None:
        for callback in self.on_feedback:
            callback(feedback)

    async def _watch(self) -> None:
        while True:
            is_connected = await self._loop.run_in_executor(self._threads, self._responds)
            if is_connected is not self.is_connected:
                self.is_connected = is_connected
                self._announce()
            await asyncio.sleep(_CHECK_S)

    def _responds(self) -> bool:
        try:
            self._client.lifecycle_state(_RESPONSE_S)
        except RetrainClientError:
            return False
        return True

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while not self._ending.is_set():
                self._executor.spin_once()

    def _close(self) -> None:
        self._executor.create_task(self._ending.set)
        self._images.join()
        self._executor.shutdown()
        self._client.close()
        self._threads.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
