# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A benchmark's own place in ROS, from which it leaves in order when it is told to end."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import signal
import sys
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions


@contextlib.contextmanager
def ros_session() -> Iterator[None]:
    """
    Be in ROS while the context lasts.

    SIGTERM ends the process as SIGINT does: node, cameras and clients are processes of their own,
    and those that it leaves behind would go on to publish into whatever is measured next.
    """
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        rclpy.try_shutdown()


def _end(number: int, _frame: Any) -> None:
    sys.exit(128 + number)
