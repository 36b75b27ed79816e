# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageThread: receives images while the node's executor handles requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import threading
import time
import traceback
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import Executor
from rclpy.node import Node

_AFTER_AN_ERROR_S = 1.0


class ImageThread:
    """
    Executes the callbacks of one callback group; the node's own executor executes all others.

    For each message an rclpy executor waits on all entities of a node, services and actions
    included, which takes longer the more there are.  This thread waits on its group only, and does
    not wait for the callbacks of services.

    Create and destroy subscriptions and timers of the group while the thread is stopped.

    Args:
        node: owns the entities.

    Attributes:
        group: the callback group.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.group = _ThreadGroup()
        # Created only once, because that fails after a signal has shut down ROS.
        self._executor = _GroupExecutor(node, self.group)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start the thread; it can be stopped and started again."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name='images', daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread; return when the last callback has ended."""
        if self._thread is not None:
            # In a task, because an executor that is only woken continues to wait.
            self._executor.create_task(self._stopping.set)
            self._thread.join()
            self._thread = None

    def close(self) -> None:
        """Stop permanently."""
        self.stop()
        self._executor.shutdown()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop inside the ``with`` block; messages wait in their queues."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _run(self) -> None:
        self.group.thread_id = threading.get_ident()
        while not self._stopping.is_set() and self._node.context.ok():
            self._spin_once()
        self.group.thread_id = None

    def _spin_once(self) -> None:
        try:
            self._executor.spin_once()
        except Exception:  # noqa: BLE001 - a bug must not end a robot's cameras
            # After a signal has shut down ROS, calls of rclpy fail.
            if self._node.context.ok():
                self._node.get_logger().error(traceback.format_exc())
                # Limits the CPU time of a permanent failure.
                time.sleep(_AFTER_AN_ERROR_S)


class _ThreadGroup(ReentrantCallbackGroup):
    """A callback group whose callbacks only one thread can execute."""

    def __init__(self) -> None:
        super().__init__()
        self.thread_id: int | None = None

    def can_execute(self, _entity: Any) -> bool:
        return threading.get_ident() == self.thread_id


class _GroupExecutor(Executor):
    """Executes a callback group of a node that is in another executor."""

    def __init__(self, node: Node, group: ReentrantCallbackGroup) -> None:
        super().__init__(context=node.context)
        self._waits_on = [node]
        self._group = group

    def can_execute(self, entity: Any) -> bool:
        return entity.callback_group is self._group and super().can_execute(entity)

    def spin_once(self, timeout_sec: float | None = None) -> None:
        task, _entity, _node = self.wait_for_ready_callbacks(timeout_sec, self._waits_on)
        task()
        if (error := task.exception()) is not None:
            raise error
