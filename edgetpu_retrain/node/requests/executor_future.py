# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Futures that threads complete and coroutines on a node's executor await."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import Any

from rclpy.node import Node
from rclpy.task import Future as ExecutorFuture


def on_executor(node: Node, source: Future[Any]) -> ExecutorFuture:
    """
    Return a future of rclpy that completes with a thread's future.

    While a coroutine awaits it, the executor runs other callbacks.

    Args:
        node: its executor runs the coroutine.
        source: completed by any thread.

    Returns:
        Has the result or the exception of ``source``; CancelledError if that was cancelled.
    """
    future = ExecutorFuture()

    def complete(source: Future[Any]) -> None:
        if source.cancelled():
            # Awaiting a cancelled future of rclpy would return None.
            future.set_exception(CancelledError())
        elif (error := source.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(source.result())
        # Up to Kilted, awaiting polls; an idle executor would never wake up.
        if node.executor is not None:
            node.executor.wake()

    source.add_done_callback(complete)
    return future
