# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated time: with ``use_sim_time``, requests for samples use the time of ``/clock``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edgetpu_retrain.errors import RequestError
from rclpy.clock import ClockChange, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.node import Node

_ANY_JUMP_BACK = JumpThreshold(
    min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True
)


def simulated_time(node: Node) -> float | None:
    """
    Return the simulated time, seconds; None if the node uses the system time.

    Args:
        node: the node whose clock is read.
    """
    clock = node.get_clock()
    return clock.now().nanoseconds / 1e9 if clock.ros_time_is_active else None


def check_time_has_begun(node: Node) -> None:
    """Raise RequestError if the node still waits for the first message on ``/clock``."""
    if simulated_time(node) == 0.0:
        raise RequestError(
            'use_sim_time is set, but no time has arrived on /clock: start the simulation, or the '
            'bag with --clock'
        )


@contextmanager
def ended_by_a_jump(node: Node, end: Callable[[RequestError], None]) -> Iterator[None]:
    """
    Report a jump of the node's clock inside the ``with`` block.

    Args:
        node: the node whose clock is watched.
        end: called with the error when the clock jumps back, or changes between system time and
            simulated time.
    """

    def jumped(jump: TimeJump) -> None:
        # In some releases of rclpy, the type of clock_change is not ClockChange.
        if int(jump.clock_change) == ClockChange.ROS_TIME_NO_CHANGE:
            what = f'The time on /clock jumped back by {-jump.delta.nanoseconds / 1e9:g} s'
        else:
            what = 'use_sim_time was changed'
        end(RequestError(f'{what} during the request; samples added before stay: repeat it'))

    handle = node.get_clock().create_jump_callback(_ANY_JUMP_BACK, post_callback=jumped)
    try:
        yield
    finally:
        handle.unregister()
