# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for responses, with a node that calls its own service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgetpu_retrain.processes.spinning import spin_until
import pytest
from std_srvs.srv import Trigger
from support.lone_node import LoneNode
from support.waiting import PATIENCE_S


class Asking(LoneNode):
    """A node with a service and a client of it, which counts what its executor does."""

    def __init__(self) -> None:
        super().__init__('asking', enable_rosout=False)
        self.node.create_service(Trigger, 'agree', lambda _, response: response)
        self.client = self.node.create_client(Trigger, 'agree')
        assert self.client.wait_for_service(PATIENCE_S)
        self.waits = 0
        self._wait = self.executor.wait_for_ready_callbacks
        # What every way to spin comes down to.
        self.executor.wait_for_ready_callbacks = self._counted

    def ask(self) -> Any:
        answer = self.client.call_async(Trigger.Request())
        assert spin_until(self.executor, answer.done, PATIENCE_S)
        return answer.result()

    def _counted(self, *arguments: Any, **options: Any) -> Any:
        self.waits += 1
        return self._wait(*arguments, **options)


@pytest.fixture
def asking() -> Iterator[Asking]:
    asking = Asking()
    yield asking
    asking.close()


def test_later_responses_take_no_longer_than_the_first(asking: Asking) -> None:
    for _ in range(200):
        asking.ask()
    before = asking.waits
    for _ in range(20):
        asking.ask()
    # One for the request and one for the answer; what a busy machine adds is a time-out or two.
    assert asking.waits - before < 20 * 10


def test_it_times_out(asking: Asking) -> None:
    assert not spin_until(asking.executor, lambda: False, 0.05)
    assert spin_until(asking.executor, lambda: True, 0.0)
