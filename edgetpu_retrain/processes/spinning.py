# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Spins an executor until a condition is true."""

from __future__ import annotations

from collections.abc import Callable
import time

from rclpy.executors import Executor

_LONGEST_SPIN_S = 0.1


def spin_until(executor: Executor, condition: Callable[[], bool], seconds: float) -> bool:
    """
    Spin until a condition is true or a timeout expires.

    ``spin_until_future_complete`` is not used.  In ROS 2 Jazzy and Kilted, each call of that
    method leaves a callback behind, so that each response takes longer than the previous one: 1 ms
    at first, 30 ms after 650 requests (https://github.com/ros2/rclpy/pull/1374).

    Args:
        executor: an executor that no other thread spins.
        condition: returns whether the condition is true.
        seconds: timeout, seconds.

    Returns:
        Whether the condition became true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if (left := deadline - time.monotonic()) <= 0:
            return condition()
        executor.spin_once(min(left, _LONGEST_SPIN_S))
    return True
