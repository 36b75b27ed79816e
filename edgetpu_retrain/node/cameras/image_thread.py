# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The thread in which images arrive, whatever else the node is asked meanwhile."""

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
    Calls back what belongs to its group, beside the node's own executor.

    For every message rclpy's executors wait anew for all that a node has, services and actions
    among it, which costs the more the more of it there is.  This one waits for its group alone,
    and the node's own executor leaves that out.  Neither do images wait for a service's callback.

    Subscriptions and timers of the group are made and destroyed while it does not run.

    Args:
        node: that has them.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._group = _ThreadGroup()
        # Once for all: a signal may end ROS at any moment, and later none could be made.
        self._executor = _GroupExecutor(node, self._group)
        self._thread: threading.Thread | None = None
        self._is_ending = False

    @property
    def group(self) -> ReentrantCallbackGroup:
        """What subscriptions and timers are to be made in."""
        return self._group

    def start(self) -> None:
        """Begin to call back; it can be stopped and started again."""
        if self._thread is None:
            self._is_ending = False
            self._thread = threading.Thread(target=self._run, name='images', daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Return when no callback runs any more and none will be."""
        if self._thread is not None:
            # By a callback: an executor that is only woken goes on to wait, and what it waited for
            # it lets go before it calls back.
            self._executor.create_task(self._end)
            self._thread.join()
            self._thread = None

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._executor.shutdown()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing be called back inside the ``with`` block; messages wait in their queues."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _end(self) -> None:
        self._is_ending = True

    def _run(self) -> None:
        self._group.thread_id = threading.get_ident()
        try:
            while not self._is_ending and self._node.context.ok():
                self._spin_once()
        finally:
            self._group.thread_id = None

    def _spin_once(self) -> None:
        try:
            self._executor.spin_once()
        except Exception:  # noqa: BLE001 - a bug must not end a robot's cameras
            # A signal ends ROS at any moment, and whatever is being done with it then fails.
            if self._node.context.ok():
                self._node.get_logger().error(traceback.format_exc())
                # Whatever fails all the time must not take a processor for it.
                time.sleep(_AFTER_AN_ERROR_S)


class _ThreadGroup(ReentrantCallbackGroup):
    """What may be called back by one thread only, which keeps all other executors from it."""

    def __init__(self) -> None:
        super().__init__()
        self.thread_id: int | None = None

    def can_execute(self, _entity: Any) -> bool:
        return threading.get_ident() == self.thread_id


class _GroupExecutor(Executor):
    """Calls back what of a node belongs to a group; the node stays in its own executor."""

    def __init__(self, node: Node, group: ReentrantCallbackGroup) -> None:
        super().__init__(context=node.context)
        self._waits_on = [node]
        self._waits_for = group

    def can_execute(self, entity: Any) -> bool:
        return entity.callback_group is self._waits_for and super().can_execute(entity)

    def spin_once(self, timeout_sec: float | None = None) -> None:
        task, _entity, _node = self.wait_for_ready_callbacks(timeout_sec, self._waits_on)
        task()
        if (error := task.exception()) is not None:
            raise error
