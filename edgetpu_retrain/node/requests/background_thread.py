# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""BackgroundThread: one thread for work that can wait until the frames are done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from edgetpu_retrain.node.process.thread_priority import lower_priority

Result = TypeVar('Result')


class BackgroundThread:
    """
    Runs what is submitted at lower priority, one call after another.

    It keeps neither futures nor their results, which may be whole models.  Not thread-safe.

    Args:
        name: prefix of the thread's name.
    """

    def __init__(self, name: str) -> None:
        # Starts its thread with the first call.
        self._new_pool = partial(ThreadPoolExecutor, 1, name, lower_priority)
        self._pool = self._new_pool()

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Run a function after those submitted before."""
        return self._pool.submit(function, *arguments)

    def stop(self) -> None:
        """
        Wait for everything submitted, including the callbacks of its futures, and end the thread.

        So a callback never finds closed what is closed after this.  The next call to
        :meth:`submit` starts a new thread.
        """
        # concurrent.futures.wait() would return while callbacks still run.
        self._pool.shutdown()
        self._pool = self._new_pool()
