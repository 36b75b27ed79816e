# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A ROS node with its own context, so that tests do not affect each other."""

from __future__ import annotations

import threading
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from support.waiting import PATIENCE_S


class LoneNode:
    """
    A node with an executor, which spins on request.

    Args:
        name: name of the node.
        options: options of ``rclpy.create_node``.
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
        """Spin in a thread until the node is closed."""
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def stop_spinning(self) -> None:
        """End the thread that spins, if there is one."""
        if self._thread is not None:
            self._is_ending = True
            self.executor.create_task(lambda: None)
            self._thread.join(PATIENCE_S)
            self._thread = None

    def run(self, work: Any, *arguments: Any) -> Any:
        """Spin until a callable or coroutine has ended, and return its result."""
        task = self.executor.create_task(work, *arguments)
        self.executor.spin_until_future_complete(task, PATIENCE_S)
        return task.result()

    def close(self) -> None:
        """Destroy the node and shut its context down."""
        # The thread must end first, because it uses the executor.
        self.stop_spinning()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def _spin(self) -> None:
        while not self._is_ending:
            self.executor.spin_once()
