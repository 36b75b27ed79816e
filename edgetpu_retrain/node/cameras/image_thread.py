# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ImageThread: receives images while the node's executor handles requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import threading
from typing import Any

from edgetpu_retrain.node.requests.callback_errors import logged_errors
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import Executor
from rclpy.node import Node


class ImageThread:
    """
    Executes the callbacks of one callback group; the node's own executor executes the others.

    To receive a message, an rclpy executor waits on all entities of a node, including services and
    actions.  The more entities there are, the longer this takes.  The image thread waits only on
    the entities of its group, and callbacks of services do not delay it.

    Create and destroy subscriptions and timers of the group only while the thread is stopped.

    Args:
        node: the node of the subscriptions and timers.

    Attributes:
        group: the callback group for subscriptions to images and detections, and their timers.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.group = _ThreadGroup()
        # Created here and not in start(), because no executor can be created after a signal has
        # shut ROS down.
        self._executor = _GroupExecutor(node, self.group)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start the thread, unless it is running; after :meth:`stop`, it can be started again."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name='images', daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread; return when the last callback has ended."""
        if self._thread is not None:
            # A task makes spin_once() return; wake() alone does not.
            self._executor.create_task(self._stopping.set)
            self._thread.join()
            self._thread = None

    def close(self) -> None:
        """Stop the thread permanently."""
        self.stop()
        self._executor.shutdown()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the thread for the ``with`` block, then start it; messages wait in their queues."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _run(self) -> None:
        self.group.thread_id = threading.get_ident()
        while not self._stopping.is_set() and self._node.context.ok():
            with logged_errors(self._node):
                self._executor.spin_once()
        self.group.thread_id = None


class _ThreadGroup(ReentrantCallbackGroup):
    """A callback group whose callbacks only the image thread can execute."""

    def __init__(self) -> None:
        super().__init__()
        self.thread_id: int | None = None

    def can_execute(self, _entity: Any) -> bool:
        return threading.get_ident() == self.thread_id


class _GroupExecutor(Executor):
    """Executes one callback group of a node; another executor executes the other groups."""

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
