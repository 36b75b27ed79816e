# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The priority of threads, read from the system."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import os
import sys
import threading

from edgetpu_retrain.node.process.thread_priority import lower_priority
import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != 'linux', reason='threads have no priority of their own'
)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_only_the_calling_thread_has_a_lower_priority() -> None:
    before = niceness()
    with ThreadPoolExecutor(max_workers=1, initializer=lower_priority) as thread:
        assert thread.submit(niceness).result() == min(before + 10, 19)
    assert niceness() == before
    with ThreadPoolExecutor(max_workers=1) as thread:
        assert thread.submit(niceness).result() == before


def test_the_priority_is_never_below_the_minimum() -> None:
    def lower_priority_twice() -> int:
        lower_priority()
        lower_priority()
        return niceness()

    with ThreadPoolExecutor(max_workers=1) as thread:
        assert thread.submit(lower_priority_twice).result() == min(niceness() + 20, 19)
