# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Connection: the ROS node of a client, and the thread that spins this node."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
import contextlib
import threading
import time
from typing import Any

from edgetpu_retrain.errors import RequestError, RetrainError
import edgetpu_retrain.needs_ros  # noqa: F401
from lifecycle_msgs.srv import GetState
import rclpy
from rclpy.exceptions import InvalidTopicNameException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.validate_full_topic_name import validate_full_topic_name

_RETRY_S = 1.0
_POLL_S = 0.01


class RetrainClientError(RetrainError):
    """
    The node rejected a request, failed or did not respond, or the client was closed.

    Args:
        message: what was wrong; if the node responded, its message.
        response: the response of the service, or the result of the training; None if there is
            neither.
    """

    def __init__(self, message: str, response: Any = None) -> None:
        super().__init__(message)
        self.response = response


class Connection:
    """
    Sends requests to a retrain node, from a separate ROS node that a thread spins.

    The thread sends all requests.  If another thread sent them, an action client of rclpy could
    receive a response before it has registered the request, and ignore the response
    (rclpy/action/client.py).

    Args:
        node: a node whose context and namespace are used; None = create a context.
        name: name of the retrain node; a relative name is in the namespace of ``node``.
        timeout_s: maximum time until a response, seconds.

    Raises:
        RequestError: if ``name`` cannot be the name of a node.
    """

    def __init__(self, node: Node | None, name: str, timeout_s: float) -> None:
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
        try:
            validate_full_topic_name(self.name)
        except InvalidTopicNameException as error:
            self.close()
            raise RequestError(
                f'the name of the retrain node is {name!a}: give the name of a node, such as '
                f'edgetpu_retrain ({str(error).splitlines()[0].rstrip(":")})'
            ) from error
        self.timeout_s = timeout_s
        self._clients: dict[str, Any] = {}
        self._creating = threading.Lock()
        self._ending = threading.Event()
        # The pending futures that send() has returned, each with rclpy's future of its request, or
        # None until it is sent.
        self._pending: dict[Future[Any], Any] = {}
        self._executor = SingleThreadedExecutor(context=context)
        self._thread = threading.Thread(target=self._spin, name='retrain client', daemon=True)

    def start(self) -> None:
        """
        Start the thread.

        Create the subscriptions and the action client first, because :meth:`lifecycle_state`
        relies on this order.
        """
        self._state = self._newest_client()
        self._executor.add_node(self.node)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; pending requests fail."""
        # The thread must end before shutdown(), which destroys what the thread waits for.
        self._executor.create_task(self._ending.set)
        self._thread.join()
        self._executor.shutdown()

    def close(self) -> None:
        """
        Destroy the client's node, and shut down the context if this connection created it.

        Call :meth:`stop` first.
        """
        self.node.destroy_node()
        if self._own_context is not None:
            rclpy.try_shutdown(context=self._own_context)

    @property
    def is_connected(self) -> bool:
        """Whether the thread runs and has discovered the retrain node."""
        return self._thread.is_alive() and bool(self._state.service_is_ready())

    def _newest_client(self) -> Any:
        """Return a new client; a node that responds to it has also discovered older clients."""
        return self.node.create_client(GetState, f'{self.name}/get_state')

    def lifecycle_state(self, timeout_s: float | None = None) -> str:
        """
        Return the lifecycle state of the retrain node.

        A node that has just started may not have discovered a client yet; its responses to that
        client are then lost.  A node that responds to this request has discovered all clients of
        this connection.

        Args:
            timeout_s: maximum time until the node responds, seconds; None = the timeout of the
                connection.

        Raises:
            RetrainClientError: if the node does not respond in time, or the client is closed.
        """
        deadline = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        asked: list[Future[Any]] = []
        try:
            while True:
                if self._ending.is_set():
                    raise self._closed()
                # The previous requests stay valid: a busy node may respond late to each of them.
                asked.append(self.send(lambda: self._state.call_async(GetState.Request())))
                left = min(_RETRY_S, max(0.0, deadline - time.monotonic()))
                responded, _ = futures.wait(asked, left, futures.FIRST_COMPLETED)
                if responded:
                    return str(responded.pop().result().current_state.label)
                if time.monotonic() > deadline:
                    raise RetrainClientError(f'{self.name} does not respond: is it running?')
        finally:
            for each in asked:
                self.abandon(each)

    def call(self, service_type: Any, service: str, request: Any) -> Future[Any]:
        """
        Wait until a service is discovered, and send a request without waiting for the response.

        Args:
            service_type: type of the service.
            service: name of the service, relative to the retrain node.
            request: the request.

        Returns:
            A future of the response.  The future raises RetrainClientError with the response's
            message if ``success`` is false.

        Raises:
            RetrainClientError: if the node does not respond, or has no such service.
        """
        with self._creating:
            if service not in self._clients:
                name = f'{self.name}/{service}'
                self._clients[service] = self.node.create_client(service_type, name)
                self._state = self._newest_client()
        client = self._clients[service]
        self.wait_until_discovered(client.service_is_ready, service)
        return self.send(lambda: client.call_async(request), checked)

    def wait_until_discovered(self, is_discovered: Callable[[], bool], what: str) -> None:
        """
        Wait until the retrain node and this connection have discovered each other.

        Args:
            is_discovered: returns whether this connection has discovered the service or action.
            what: name of the service or action, for the error message.

        Raises:
            RetrainClientError: if the node does not respond, or has no such service or action.
        """
        deadline = time.monotonic() + self.timeout_s
        self.lifecycle_state()
        while not is_discovered():
            if time.monotonic() > deadline:
                raise RetrainClientError(f'{self.name} has no {what}')
            time.sleep(_POLL_S)

    def wait(
        self, future: Future[Any], what: str, timeout_s: float | None, *, waits_again: bool = False
    ) -> Any:
        """
        Wait for a future, and return its result.

        Args:
            future: a future that :meth:`send` or :meth:`call` has returned.
            what: what was requested, as the subject of an error message.
            timeout_s: timeout, seconds; None = wait as long as the retrain node is running.
            waits_again: whether the caller may wait again after an error; if not, the future is
                abandoned.

        Raises:
            RetrainClientError: if the node rejects the request, stops, or responds too late.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            with contextlib.suppress(futures.TimeoutError):
                return future.result(_RETRY_S)
            if not self.is_connected:
                problem = ': the node is not running'
            elif deadline is not None and time.monotonic() > deadline:
                problem = f' within {timeout_s:.0f} s'
            else:
                continue
            if not waits_again:
                self.abandon(future)
            raise RetrainClientError(f'{what} did not respond{problem}')

    def abandon(self, future: Future[Any]) -> None:
        """
        Let a future fail if it is still pending.

        This makes rclpy forget the request, which it would otherwise keep until a response.
        """

        def end() -> None:
            if future.done():
                return
            request = self._pending[future]
            future.set_exception(RetrainClientError(f'{self.name} did not respond in time'))
            if request is not None:
                request.cancel()

        if not future.done():
            self._executor.create_task(end)

    def send(
        self, start: Callable[[], Any], convert: Callable[[Any], Any] = lambda value: value
    ) -> Future[Any]:
        """
        Send a request in the connection's thread.

        Args:
            start: sends the request, and returns a future of rclpy.
            convert: converts the response; the returned future raises what ``convert`` raises.

        Returns:
            A future of the converted response.
        """
        done: Future[Any] = Future()
        # A sent request cannot be cancelled, so mark its future as running, which prevents a
        # cancellation.
        done.set_running_or_notify_cancel()
        self._pending[done] = None
        done.add_done_callback(self._pending.pop)

        def finish(response: Any) -> None:
            if done.done():  # abandoned
                return
            try:
                done.set_result(convert(response.result()))
            except Exception as error:  # noqa: BLE001 - passed on by the future
                done.set_exception(error)

        def send_request() -> None:
            if done.done():  # abandoned
                return
            try:
                self._pending[done] = start()
                self._pending[done].add_done_callback(finish)
            except Exception as error:  # noqa: BLE001 - as above
                done.set_exception(error)

        self._executor.create_task(send_request)
        return done

    def _spin(self) -> None:
        try:
            while not self._ending.is_set():
                self._executor.spin_once()
        except ExternalShutdownException:
            pass
        except Exception:
            # A signal can shut ROS down at any time; calls to rclpy then fail.
            if self.node.context.ok():
                raise
        finally:
            for future in list(self._pending):
                future.set_exception(self._closed())

    def _closed(self) -> RetrainClientError:
        return RetrainClientError(f'the client of {self.name} was closed')


def checked(response: Any) -> Any:
    """Return a response, but raise RetrainClientError if its ``success`` is false."""
    if getattr(response, 'success', True):
        return response
    # The response of ChangeState has no message.
    raise RetrainClientError(getattr(response, 'message', 'the request failed'), response)
