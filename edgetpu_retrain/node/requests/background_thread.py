# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""BackgroundThread: one thread for work that would block the callbacks of rclpy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

Result = TypeVar('Result')


class BackgroundThread:
    """
    Runs submitted calls, one after another.

    It keeps no references to futures or their results, which may be large models.  Not
    thread-safe.

    Args:
        name: prefix of the thread's name.
    """

    def __init__(self, name: str) -> None:
        # A new pool has no thread yet; the first call of submit() starts one.
        self._new_pool = partial(ThreadPoolExecutor, 1, name)
        self._pool = self._new_pool()

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Run a function after all earlier functions; return a future of its result."""
        return self._pool.submit(function, *arguments)

    def stop(self) -> None:
        """
        Wait for all submitted calls and for the callbacks of their futures, and end the thread.

        Afterwards, resources that the callbacks use can be closed.  The next call of
        :meth:`submit` starts a new thread.
        """
        # concurrent.futures.wait() would return while callbacks of the futures still run.
        self._pool.shutdown()
        self._pool = self._new_pool()
