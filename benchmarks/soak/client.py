# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One who talks to the node all along: a ROS context of its own, and a record of each answer."""

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

# Frames, and what latched topics told last, come at once; a message that does not is lost.
SECONDS_TO_A_MESSAGE = 20.0
# Whoever gets no answer for so long gets none.
PATIENCE_S = 60.0
# The first answer to a new client is lost where the node has not discovered it yet, which is
# DDS's doing and not the node's; seconds until asked again.
_FIRST_PATIENCE_S = (10.0, 20.0, PATIENCE_S)

# Kinds of answers: the node's, those of them that load, capture or train and take their time,
# and those of a node that does nothing else.
QUICK = 'quick'
SLOW = 'slow'
PEER = 'peer'


class UnansweredError(Exception):
    """The node does not answer."""


def full_name(name: str) -> str:
    """Return the name of a topic or service with the node's before it, unless it is absolute."""
    return name if name.startswith('/') else f'{NAME}/{name}'


@dataclass
class Record:
    """
    What a client has seen.

    Args:
        answers: of each kind of answer pairs of the moment, seconds of CLOCK_MONOTONIC, and how
            long it took.
        errors: a sentence each.
        counts: what happened how often.
    """

    answers: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: {QUICK: [], SLOW: [], PEER: []}
    )
    errors: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, what: str) -> None:
        """Note that something happened."""
        self.counts[what] += 1

    def error(self, words: str) -> None:
        """Note an error."""
        self.errors.append(words)


class Client:
    """
    A ROS node in a context, and thus a DDS participant, of its own.

    Args:
        name: of the node, and for errors.
        record: what happens is added to it.
        stopping: ends waits early, an event of this process or of several.
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
        """Leave DDS."""
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()

    def ask(
        self,
        kind: Any,
        service: str,
        *,
        may_say: Sequence[str] = (),
        must_fail: bool = False,
        answer_kind: str = QUICK,
        **fields: Any,
    ) -> Any:
        """
        Ask a service of the node and return its answer.

        Args:
            kind: of the service.
            service: its name behind the node's, or beginning with '/' another's.
            may_say: words of refusals that are right, since others ask at the same time.
            must_fail: whether only a refusal is right.
            answer_kind: what to note it as.
            fields: of the request.

        Raises:
            UnansweredError: when there is no answer.
        """
        is_new = service not in self._clients
        client = self._client_of(kind, service)
        patience = _FIRST_PATIENCE_S if is_new else (PATIENCE_S,)

        begin = 0.0

        def call() -> Any:
            nonlocal begin
            begin = time.monotonic()
            return client.call_async(kind.Request(**fields))

        answer = self.answered(call, service, patience)
        self.record.answers[answer_kind].append((begin, time.monotonic() - begin))
        self.record.count(service)
        self._judge(service, answer, may_say, must_fail=must_fail)
        return answer

    def answered(
        self, ask: Callable[[], Any], what: str, patience: Sequence[float] = (PATIENCE_S,)
    ) -> Any:
        """
        Return what the node answers.

        Args:
            ask: asks and returns a future.
            what: is asked for.
            patience: how long to wait, seconds, until it is asked again or given up.

        Raises:
            UnansweredError: when there is no answer.
        """
        for seconds in patience:
            future = ask()
            if spin_until(self._executor, future.done, seconds):
                return future.result()
            if seconds != patience[-1]:
                self.record.count('lost at discovery')
        raise UnansweredError(f'{self.name}: {what} gave no answer within {patience[-1]:.0f} s')

    def first_answered(self, ask: Callable[[], Any], what: str) -> Any:
        """Do the same where it is the first question of a new client."""
        return self.answered(ask, what, _FIRST_PATIENCE_S)

    def spin_until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Take what comes until something is the case; False when it was not in time."""

        def is_over() -> bool:
            return self._stopping.is_set() or what()

        return spin_until(self._executor, is_over, seconds) and what()

    @property
    def is_stopping(self) -> bool:
        """Whether all is to end."""
        return self._stopping.is_set()

    def rest(self, seconds: float) -> None:
        """Do nothing, unless all ends."""
        self._stopping.wait(seconds)

    def _client_of(self, kind: type, service: str) -> Any:
        if service not in self._clients:
            client = self.node.create_client(kind, full_name(service))
            if not client.wait_for_service(PATIENCE_S):
                raise UnansweredError(f'{self.name}: there is no {service}')
            self._clients[service] = client
        return self._clients[service]

    def _judge(
        self, service: str, answer: Any, may_say: Sequence[str], *, must_fail: bool
    ) -> None:
        if not hasattr(answer, 'success'):
            return
        if must_fail:
            if answer.success or not getattr(answer, 'message', 'no word is expected'):
                self.record.error(f'{self.name}: {service} should have refused: {answer}')
        elif not answer.success and not any(words in answer.message for words in may_say):
            self.record.error(f'{self.name}: {service} refused: {answer.message}')
