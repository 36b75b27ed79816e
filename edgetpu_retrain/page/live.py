# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Live: a WebSocket on which each page hears of what changes."""

from __future__ import annotations

from edgetpu_retrain.page.robot import Robot


class Live:
    """
    Announces changes to all pages.

    Args:
        robot: the robot.
    """

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def changed(self, *kinds: str) -> None:
        """
        Let all pages load again what has changed.

        Args:
            kinds: 'samples', 'questions', 'models', 'analysis'.
        """
