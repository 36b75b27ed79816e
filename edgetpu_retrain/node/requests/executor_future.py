# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Futures that threads end and coroutines on a node's executor await."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import Any

from rclpy.node import Node
from rclpy.task import Future as ExecutorFuture


def on_executor(node: Node, source: Future[Any]) -> ExecutorFuture:
    """
    Return what a coroutine on the node's executor can await instead of a thread's future.

    A coroutine that awaits it gives the executor back to all other callbacks meanwhile.

    Args:
        node: whose executor runs the coroutine.
        source: ended by any thread.

    Returns:
        Ends with the result or the error of ``source``; with CancelledError when that was
        cancelled.
    """
    future = ExecutorFuture()

    def hand_over(source: Future[Any]) -> None:
        if source.cancelled():
            # A cancelled future of rclpy would answer None to whoever awaits it.
            future.set_exception(CancelledError())
        elif (error := source.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(source.result())
        # Awaiting polls; an executor with nothing else to do would sleep on for ever.
        if node.executor is not None:
            node.executor.wake()

    source.add_done_callback(hand_over)
    return future
