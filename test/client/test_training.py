# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Training without a node; test_retrain_client.py has trainings of a real one."""

from __future__ import annotations

from concurrent.futures import Future
import queue
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.client.training import Training
import pytest


@pytest.mark.parametrize('is_done', [True, False], ids=['result', 'node stopped'])
def test_feedback_that_arrives_after_the_end_is_not_lost(is_done: bool) -> None:
    ended: Future[Any] = Future()
    if is_done:
        ended.set_result(SimpleNamespace())
    connection: Any = SimpleNamespace(send=lambda _: ended, is_connected=is_done)
    feedback: queue.SimpleQueue[Any] = queue.SimpleQueue()
    training = Training(connection, SimpleNamespace(get_result_async=None), feedback)
    feedback.put(1)
    feedback.put(2)
    assert list(training) == [1, 2]
