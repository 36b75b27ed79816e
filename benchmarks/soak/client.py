# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A client with its own ROS context, and a record of all responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
import time
from typing import Any

from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.processes.spinning import spin_until
import rclpy
from rclpy.executors import SingleThreadedExecutor

# Messages of frames and latched topics arrive at once; a message that does not is lost.
SECONDS_TO_A_MESSAGE = 20.0
# After this time a response counts as missing.
PATIENCE_S = 60.0

# Kinds of responses: the node's, those to requests that load, capture or train, and the peer's.
QUICK = 'quick'
SLOW = 'slow'
PEER = 'peer'


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


class Client:
    """
    A ROS node with its own context, and thus its own DDS participant.

    Args:
        name: name of the node, also used in errors.
        robot: full name of the node that it calls.
        record: record for responses and errors.
        stopping: ends waits early; an event of this process or of several ones.
    """

    def __init__(self, name: str, robot: str, record: Record, stopping: Event) -> None:
        self.name = name
        self.record = record
        self._stopping = stopping
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context)
        self.node = rclpy.create_node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.robot = RetrainClient(self.node, robot, PATIENCE_S)

    def close(self) -> None:
        """Destroy the node and leave DDS."""
        self.robot.close()
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
            service: name of the service, relative to the node.
            allowed_errors: parts of error messages that are correct, because other clients change
                samples at the same time.
            must_reject: whether the service must reject the request.
            response_kind: kind to record the response as.
            fields: fields of the request.

        Raises:
            RetrainClientError: there is no response.
        """
        begin = time.monotonic()
        rejection = ''
        try:
            response = self.robot.call(service_type, service, **fields)
        except RetrainClientError as error:
            if error.response is None:
                raise
            response, rejection = error.response, str(error) or 'no message'
        self.record.responses[response_kind].append((begin, time.monotonic() - begin))
        self.record.counts[service] += 1
        if must_reject:
            if rejection in ('', 'no message'):
                self.error(f'{service} should have rejected the request: {response}')
        elif rejection and not any(part in rejection for part in allowed_errors):
            self.error(f'{service} failed: {rejection}')
        return response

    def error(self, message: str) -> None:
        """Record an error."""
        self.record.errors.append(f'{self.name}: {message}')

    def spin_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Spin the node until a condition holds, and return whether it did in time."""

        def is_over() -> bool:
            return self._stopping.is_set() or condition()

        return spin_until(self._executor, is_over, seconds) and condition()

    @property
    def is_stopping(self) -> bool:
        """Whether all clients are stopping."""
        return self._stopping.is_set()

    def pause(self, seconds: float) -> None:
        """Wait for some seconds, or until all clients are stopping."""
        self._stopping.wait(max(0.0, seconds))
