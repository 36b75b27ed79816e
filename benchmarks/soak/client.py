# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A client of the node with its own ROS context, and a record of all responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
import time
from typing import Any

from benchmarks.shared.robot import NAME
from edgetpu_retrain.processes.spinning import spin_until
import rclpy
from rclpy.executors import SingleThreadedExecutor

# Messages of frames and latched topics arrive at once; a message that does not is lost.
SECONDS_TO_A_MESSAGE = 20.0
# After this time a response counts as missing.
PATIENCE_S = 60.0
# DDS loses the first response to a new client if the node has not discovered it yet; seconds until
# the request is repeated.
_FIRST_PATIENCE_S = (10.0, 20.0, PATIENCE_S)

# Kinds of responses: the node's, those to requests that load, capture or train, and the peer's.
QUICK = 'quick'
SLOW = 'slow'
PEER = 'peer'


class NoResponseError(Exception):
    """The node does not respond."""


def full_name(name: str) -> str:
    """Return the full name of a topic or service, which may be relative to the node."""
    return name if name.startswith('/') else f'{NAME}/{name}'


@dataclass
class Record:
    """
    What a client has observed.

    Args:
        responses: kind of response to pairs of the time of the request, seconds of
            CLOCK_MONOTONIC, and the response time, seconds.
        errors: a sentence each.
        counts: kind of event to the number of such events.
    """

    responses: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: {QUICK: [], SLOW: [], PEER: []}
    )
    errors: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, what: str) -> None:
        """Count an event."""
        self.counts[what] += 1

    def error(self, message: str) -> None:
        """Record an error."""
        self.errors.append(message)


class Client:
    """
    A ROS node with its own context, and thus its own DDS participant.

    Args:
        name: name of the node, also used in errors.
        record: record for responses and errors.
        stopping: ends waits early; an event of this process or of several ones.
    """

    def __init__(self, name: str, record: Record, stopping: Event) -> None:
        self.name = name
        self.record = record
        self._stopping = stopping
        self._clients: dict[str, Any] = {}
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context)
        self.node = rclpy.create_node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def close(self) -> None:
        """Destroy the node and leave DDS."""
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()

    def call(
        self,
        service_type: Any,
        service: str,
        *,
        allowed_errors: Sequence[str] = (),
        must_reject: bool = False,
        response_kind: str = QUICK,
        **fields: Any,
    ) -> Any:
        """
        Call a service, check and return its response.

        Args:
            service_type: type of the service.
            service: name of the service, absolute or relative to the node.
            allowed_errors: parts of error messages that are correct, because other clients change
                samples at the same time.
            must_reject: whether the service must reject the request.
            response_kind: kind to record the response as.
            fields: fields of the request.

        Raises:
            NoResponseError: there is no response.
        """
        is_new = service not in self._clients
        client = self._client(service_type, service)
        patience = _FIRST_PATIENCE_S if is_new else (PATIENCE_S,)

        begin = 0.0

        def call() -> Any:
            nonlocal begin
            begin = time.monotonic()
            return client.call_async(service_type.Request(**fields))

        response = self.wait_for_response(call, service, patience)
        self.record.responses[response_kind].append((begin, time.monotonic() - begin))
        self.record.count(service)
        self._check(service, response, allowed_errors, must_reject=must_reject)
        return response

    def wait_for_response(
        self, send: Callable[[], Any], what: str, patience: Sequence[float] = (PATIENCE_S,)
    ) -> Any:
        """
        Send a request and return the response.

        Args:
            send: sends the request and returns a future.
            what: name of the request, for the error.
            patience: seconds to wait for each attempt; the request is repeated in between.

        Raises:
            NoResponseError: there is no response to the last attempt.
        """
        for seconds in patience:
            future = send()
            if spin_until(self._executor, future.done, seconds):
                return future.result()
            if seconds != patience[-1]:
                self.record.count('lost at discovery')
        raise NoResponseError(f'{self.name}: {what} did not respond within {patience[-1]:.0f} s')

    def wait_for_first_response(self, send: Callable[[], Any], what: str) -> Any:
        """Do the same for the first request of a new client."""
        return self.wait_for_response(send, what, _FIRST_PATIENCE_S)

    def spin_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Spin until a condition holds, and return whether it did in time."""

        def is_over() -> bool:
            return self._stopping.is_set() or condition()

        return spin_until(self._executor, is_over, seconds) and condition()

    @property
    def is_stopping(self) -> bool:
        """Whether all clients are stopping."""
        return self._stopping.is_set()

    def pause(self, seconds: float) -> None:
        """Wait for some seconds, or until all clients are stopping."""
        self._stopping.wait(seconds)

    def _client(self, service_type: type, service: str) -> Any:
        if service not in self._clients:
            client = self.node.create_client(service_type, full_name(service))
            if not client.wait_for_service(PATIENCE_S):
                raise NoResponseError(f'{self.name}: there is no {service}')
            self._clients[service] = client
        return self._clients[service]

    def _check(
        self, service: str, response: Any, allowed_errors: Sequence[str], *, must_reject: bool
    ) -> None:
        if not hasattr(response, 'success'):
            return
        if must_reject:
            if response.success or not getattr(response, 'message', 'has no such field'):
                self.record.error(
                    f'{self.name}: {service} should have rejected the request: {response}'
                )
        elif not response.success and not any(part in response.message for part in allowed_errors):
            self.record.error(f'{self.name}: {service} failed: {response.message}')
