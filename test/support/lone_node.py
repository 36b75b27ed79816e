# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A ROS node of a test's own, in a context of its own, so that no test knows of another."""

from __future__ import annotations

import threading
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from support.waiting import PATIENCE_S


class LoneNode:
    """
    A node and its executor, which spins when it is told to.

    Args:
        name: of the node.
        options: of ``rclpy.create_node``.
    """

    def __init__(self, name: str, **options: Any) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node(name, context=self.context, **options)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self._thread: threading.Thread | None = None
        self._is_ending = False

    def spin_in_a_thread(self) -> None:
        """Call back from now on, until it is closed."""
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def stop_spinning(self) -> None:
        """Call nothing back any more, where a thread did."""
        if self._thread is not None:
            self._is_ending = True
            self.executor.create_task(lambda: None)
            self._thread.join(PATIENCE_S)
            self._thread = None

    def run(self, work: Any, *arguments: Any) -> Any:
        """Spin until a callable or coroutine has ended, and return its answer."""
        task = self.executor.create_task(work, *arguments)
        self.executor.spin_until_future_complete(task, PATIENCE_S)
        return task.result()

    def close(self) -> None:
        """Leave ROS."""
        # Shut down before its thread has ended, it would use what is no more.
        self.stop_spinning()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def _spin(self) -> None:
        while not self._is_ending:
            self.executor.spin_once()
