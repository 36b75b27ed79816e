# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What coroutines on an executor await while threads work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
import threading
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.requests.responses import DEACTIVATED, result_of
import pytest
from support.lone_node import LoneNode
from support.waiting import PATIENCE_S


class Spinning(LoneNode):
    """A node on an executor that spins in a thread and has nothing else to do."""

    def __init__(self) -> None:
        super().__init__('idle')
        self.spin_in_a_thread()

    def begin(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> threading.Event:
        """Run a coroutine on the executor; the event tells that it ended."""
        ended = threading.Event()

        async def run() -> None:
            await work()
            ended.set()

        self.executor.create_task(run)
        return ended


@pytest.fixture
def spinning() -> Iterator[Spinning]:
    spinning = Spinning()
    yield spinning
    spinning.close()


def test_an_idle_executor_goes_on_when_a_thread_has_the_answer(spinning: Spinning) -> None:
    # Many times, because an executor that happens to be awake would go on by itself.
    for number in range(30):
        source: Future[int] = Future()
        answers: list[Any] = []
        began = threading.Event()

        async def work(
            source: Future[int] = source,
            answers: list[Any] = answers,
            began: threading.Event = began,
        ) -> None:
            began.set()
            answers.append(await result_of(spinning.node, source))

        ended = spinning.begin(work)
        assert began.wait(PATIENCE_S)
        source.set_result(number)
        assert ended.wait(PATIENCE_S)
        assert answers == [number]


def test_errors_come_through(spinning: Spinning) -> None:
    source: Future[None] = Future()
    caught: list[Exception] = []

    async def work() -> None:
        try:
            await result_of(spinning.node, source)
        except ValueError as error:
            caught.append(error)

    ended = spinning.begin(work)
    source.set_exception(ValueError('no good'))
    assert ended.wait(PATIENCE_S)
    assert str(caught[0]) == 'no good'


def test_what_is_cancelled_does_not_wait_for_ever(spinning: Spinning) -> None:
    source: Future[None] = Future()

    async def work() -> None:
        with pytest.raises(RequestError, match=DEACTIVATED):
            await result_of(spinning.node, source)

    ended = spinning.begin(work)
    assert source.cancel()
    assert ended.wait(PATIENCE_S)


def test_an_answer_that_is_there_already(spinning: Spinning) -> None:
    source: Future[int] = Future()
    source.set_result(3)
    answers: list[Any] = []

    async def work() -> None:
        answers.append(await result_of(spinning.node, source))

    assert spinning.begin(work).wait(PATIENCE_S)
    assert answers == [3]
