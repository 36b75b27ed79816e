# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Connection: the node of a client, and the thread that spins it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
import contextlib
import threading
import time
from typing import Any

from edgetpu_retrain.errors import RetrainError
import edgetpu_retrain.needs_ros  # noqa: F401
from lifecycle_msgs.srv import GetState
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

PATIENCE_S = 30.0
RETRY_S = 1.0


class RetrainClientError(RetrainError):
    """The node rejected a request, failed or did not respond; the message says why."""


class Connection:
    """
    A node that sends requests to a retrain node, and the thread that spins it.

    All requests are sent in this thread.  If another thread sent them, an action client of rclpy
    could receive a response before it has registered the request, and ignore it
    (rclpy/action/client.py).

    Args:
        node: a node whose context and namespace are used; None = create a context.
        name: name of the retrain node; a relative name is in the namespace of ``node``.
    """

    def __init__(self, node: Node | None, name: str) -> None:
        self._own_context = None if node is not None else rclpy.Context()
        if self._own_context is not None:
            rclpy.init(context=self._own_context)
        context = node.context if node is not None else self._own_context
        self.node = rclpy.create_node(
            f'{node.get_name() if node is not None else "edgetpu_retrain"}_client',
            namespace=node.get_namespace() if node is not None else None,
            context=context,
            enable_rosout=False,
            start_parameter_services=False,
        )
        namespace = self.node.get_namespace().rstrip('/')
        self.name = name if name.startswith('/') else f'{namespace}/{name}'
        self._is_known = False
        self._pending: set[Future[Any]] = set()
        self._executor = SingleThreadedExecutor(context=context)
        self._thread = threading.Thread(target=self._spin, name='retrain client', daemon=True)

    def start(self) -> None:
        """Start the thread; call it when all other clients and subscriptions are created."""
        # This client is created last: a node that responds to it has discovered all others.
        self._state = self.node.create_client(GetState, f'{self.name}/get_state')
        self._executor.add_node(self.node)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; pending requests fail."""
        self._executor.shutdown()
        self._thread.join()

    def close(self) -> None:
        """Destroy the node, and the context if it was created here; call it after :meth:`stop`."""
        self.node.destroy_node()
        if self._own_context is not None:
            rclpy.try_shutdown(context=self._own_context)

    @property
    def is_connected(self) -> bool:
        """Whether the retrain node is discovered, and so is probably running."""
        return bool(self._state.service_is_ready())

    def lifecycle_state(self, timeout_s: float) -> str:
        """
        Return the lifecycle state of the retrain node.

        Args:
            timeout_s: maximum time until it responds, seconds.

        Raises:
            RetrainClientError: if it does not respond in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            # A response is lost if the node has not yet discovered the client.
            asked = self.send(lambda: self._state.call_async(GetState.Request()))
            with contextlib.suppress(futures.TimeoutError):
                state = asked.result(min(RETRY_S, max(0.0, deadline - time.monotonic())))
                self._is_known = True
                return str(state.current_state.label)
            if time.monotonic() > deadline:
                raise RetrainClientError(f'{self.name} does not respond: is it running?')

    def wait_until_known(self) -> None:
        """Wait until the retrain node can respond to all clients, or raise RetrainClientError."""
        if not self._is_known:
            self.lifecycle_state(PATIENCE_S)

    def call(self, client: Any, request: Any) -> Future[Any]:
        """
        Call a service.

        Args:
            client: the client of the service.
            request: the request.

        Returns:
            A future of the response; it raises RetrainClientError with the response's message if
            ``success`` is false.
        """
        self.wait_until_known()
        return self.send(lambda: client.call_async(request), checked)

    def wait(self, future: Future[Any], what: str, timeout_s: float | None = PATIENCE_S) -> Any:
        """
        Return the result of a future.

        Args:
            future: a future that :meth:`send` or :meth:`call` has returned.
            what: what was requested, as the subject of an error message.
            timeout_s: timeout, seconds; None = wait as long as the retrain node is running.

        Raises:
            RetrainClientError: if the node rejects the request, stops or takes too long.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            with contextlib.suppress(futures.TimeoutError):
                return future.result(RETRY_S)
            if not self.is_connected:
                raise RetrainClientError(f'{what} did not respond: the node is not running')
            if deadline is not None and time.monotonic() > deadline:
                raise RetrainClientError(f'{what} did not respond within {timeout_s:.0f} s')

    def send(
        self, start: Callable[[], Any], convert: Callable[[Any], Any] = lambda value: value
    ) -> Future[Any]:
        """
        Send a request in the client's thread.

        Args:
            start: sends the request, and returns a future of rclpy.
            convert: converts the response to the result of the returned future; may raise.

        Returns:
            A future of the converted response.
        """
        done: Future[Any] = Future()
        # A request that was sent cannot be cancelled, and neither can a running future.
        done.set_running_or_notify_cancel()
        self._pending.add(done)
        done.add_done_callback(self._pending.discard)

        def finish(response: Any) -> None:
            try:
                done.set_result(convert(response.result()))
            except Exception as error:  # noqa: BLE001 - passed on by the future
                done.set_exception(error)

        def send_request() -> None:
            try:
                start().add_done_callback(finish)
            except Exception as error:  # noqa: BLE001 - as above
                done.set_exception(error)

        self._executor.create_task(send_request)
        return done

    def _spin(self) -> None:
        try:
            with contextlib.suppress(ExternalShutdownException):
                self._executor.spin()
        finally:
            for future in list(self._pending):
                future.set_exception(RetrainClientError(f'the client of {self.name} was closed'))


def checked(response: Any) -> Any:
    """Return a response; raise RetrainClientError with its message if ``success`` is false."""
    if getattr(response, 'success', True):
        return response
    raise RetrainClientError(response.message)
