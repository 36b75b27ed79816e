# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
import os
import sys
import threading
import time
from typing import Any
import weakref

from edgetpu_retrain.node.requests.background_thread import BackgroundThread
import pytest
from support.waiting import PATIENCE_S


class Model:
    """Something large."""


def test_work_is_done_in_order_by_one_thread() -> None:
    thread = BackgroundThread('test')
    done: list[int] = []
    names = {thread.submit(_note, done, number) for number in range(20)}
    thread.stop()
    assert done == list(range(20))
    assert len({name.result() for name in names}) == 1


def _note(done: list[int], number: int) -> str:
    done.append(number)
    return threading.current_thread().name


def test_a_callback_never_finds_closed_what_is_closed_after_the_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    thread, other = BackgroundThread('test'), ThreadPoolExecutor(1)
    finish, added = threading.Event(), []

    def add(_work: Future[Any]) -> None:
        time.sleep(0.2)
        added.append(other.submit(int))

    thread.submit(finish.wait, PATIENCE_S).add_done_callback(add)
    finish.set()
    thread.stop()
    other.shutdown()
    assert [each.result() for each in added] == [0]
    assert caplog.text == ''


def test_it_begins_again_after_its_end() -> None:
    thread = BackgroundThread('test')
    for _ in range(2):
        assert thread.submit(int, '7').result(PATIENCE_S) == 7
        thread.stop()
        assert not [each for each in threading.enumerate() if each.name.startswith('test')]
    thread.stop()


def test_it_keeps_no_result() -> None:
    thread = BackgroundThread('test')
    result = weakref.ref(thread.submit(Model).result(PATIENCE_S))
    thread.submit(int).result(PATIENCE_S)
    assert result() is None
    thread.stop()


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere threads have no priority')
def test_it_gets_its_share_of_a_busy_machine() -> None:
    thread = BackgroundThread('test')
    niceness = thread.submit(os.getpriority, os.PRIO_PROCESS, 0).result(PATIENCE_S)
    thread.stop()
    assert niceness == os.getpriority(os.PRIO_PROCESS, 0)
