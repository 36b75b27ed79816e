# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Answers in the thread that tells them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
import threading

from edgetpu_retrain.node.frames.answering import Answering
import pytest

PATIENCE_S = 30.0


@pytest.fixture
def answering() -> Iterator[Answering]:
    ready = Answering()
    ready.start()
    yield ready
    ready.stop()


def test_an_answer_is_held_until_it_is_released(answering: Answering) -> None:
    told = threading.Event()
    answering.hold(told.set)
    assert not told.wait(0.05)
    answering.release()
    assert told.wait(PATIENCE_S)


def test_answers_are_told_in_their_order_whoever_releases(answering: Answering) -> None:
    told: list[int] = []
    for number in range(100):
        answering.hold(partial(told.append, number))
        if number % 2:
            answering.release()
    answering.tell()
    assert told == list(range(100))


def test_whoever_holds_the_next_waits_for_the_one_before(answering: Answering) -> None:
    begun, may_end, told = threading.Event(), threading.Event(), list[str]()

    def slow() -> None:
        begun.set()
        may_end.wait(PATIENCE_S)
        told.append('slow')

    answering.hold(slow)
    answering.release()
    assert begun.wait(PATIENCE_S)
    threading.Timer(0.05, may_end.set).start()
    answering.hold(lambda: told.append('next'))
    assert told == ['slow']


def test_at_the_end_nothing_is_left_untold_and_it_can_begin_again(answering: Answering) -> None:
    told: list[str] = []
    answering.hold(lambda: told.append('last'))
    answering.stop()
    assert told == ['last']
    answering.start()
    answering.hold(lambda: told.append('first'))
    answering.tell()
    assert told == ['last', 'first']


def test_only_what_is_released_is_told_in_another_thread(answering: Answering) -> None:
    threads: list[threading.Thread] = []
    for release in (True, False):
        answering.hold(lambda: threads.append(threading.current_thread()))
        if release:
            answering.release()
        answering.tell()
        assert not answering.is_holding
    assert threads[0].name.startswith('answers')
    assert threads[1] is threading.current_thread()
