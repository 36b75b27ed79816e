# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Autostart: configures and activates the node when its data folder is free."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgetpu_retrain.errors import FolderInUseError, StoreError
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.wording import sentence
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.timer import Timer

CONFIGURATION_PROBLEM = 'configuration'
"""Key in :attr:`NodeFacts.problems` under which a failed transition is reported."""

RETRY_PERIOD_S = 5.0
"""Time between retries, seconds; short, so that the node starts soon after the folder is free."""


class Autostart:
    """
    Configures and activates a node at its start.

    If a transition fails, the process continues with an unconfigured or inactive node.  If the
    process ended, a launch file with ``respawn`` would repeat the failure forever.  If another
    node owns the data folder, the transitions are retried once the folder is free.

    Args:
        node: the node.
        status: reports the process that owns the data folder during retries.
        folder_in_use: returns the data folder if the last transition failed because another node
            owns it, None otherwise.
    """

    def __init__(
        self, node: LifecycleNode, status: NodeStatus, folder_in_use: Callable[[], Path | None]
    ) -> None:
        self._node = node
        self._log = node.get_logger()
        self._status = status
        self._folder_in_use = folder_in_use
        self._timer: Timer | None = None

    def start(self) -> None:
        """Configure and activate the node, now or when its data folder is free."""
        if not self._is_started() and self._folder_in_use() is not None:
            self._log.info(f'the node stays unconfigured: trying again every {RETRY_PERIOD_S:g} s')
            # The node's own clock may be simulated, and then paused.
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = self._node.create_timer(RETRY_PERIOD_S, self._retry, clock=steady)

    def _is_started(self) -> bool:
        if all(
            transition() == TransitionCallbackReturn.SUCCESS
            for transition in (self._node.trigger_configure, self._node.trigger_activate)
        ):
            return True
        # If a signal has shut ROS down, or the folder is in use, the user has nothing to correct.
        if self._node.context.ok() and self._folder_in_use() is None:
            self._log.error(
                f'the node stays {self._status.facts.state}: correct that and restart the node, '
                f'or use ros2 lifecycle set {self._node.get_fully_qualified_name()}'
            )
        return False

    def _retry(self) -> None:
        folder = self._folder_in_use()
        if folder is not None:
            try:
                # Try the lock first: a failed transition would be logged and published each time.
                Ownership(folder).release()
            except FolderInUseError as error:
                # The owner may have changed since the last try: report the current owner.
                self._status.set_problem(CONFIGURATION_PROBLEM, sentence(error))
                return
            except StoreError:
                # The transition will fail for the same reason, and report it.
                pass
            self._is_started()
        if self._folder_in_use() is None and self._timer is not None:
            self._timer.cancel()
