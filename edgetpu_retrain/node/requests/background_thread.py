# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""BackgroundThread: one low-priority thread for work that is less urgent than frames."""

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

    It keeps neither futures nor their results, which may be large models.  Not thread-safe.

    Args:
        name: prefix of the thread's name.
    """

    def __init__(self, name: str) -> None:
        # Starts its thread at the first call of submit().
        self._new_pool = partial(ThreadPoolExecutor, 1, name, lower_priority)
        self._pool = self._new_pool()

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Run a function after those submitted earlier."""
        return self._pool.submit(function, *arguments)

    def stop(self) -> None:
        """
        Wait for everything submitted, including the callbacks of the futures, and end the thread.

        What these callbacks use can be closed afterwards.  The next call of :meth:`submit` starts
        a new thread.
        """
        # concurrent.futures.wait() would return while callbacks still run.
        self._pool.shutdown()
        self._pool = self._new_pool()
