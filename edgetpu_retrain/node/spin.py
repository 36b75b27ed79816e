# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Create the node, spin it until a signal, and shut down in order."""

from __future__ import annotations

from contextlib import closing, ExitStack
import signal
import sys

from edgetpu_retrain.errors import RetrainError
import edgetpu_retrain.needs_ros  # noqa: F401
from edgetpu_retrain.node.older_rclpy import create_lifecycle_node
from edgetpu_retrain.node.retrain_node import RetrainNode
from edgetpu_retrain.wording import sentence
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger

NODE_NAME = 'edgetpu_retrain'


def run(arguments: list[str] | None = None) -> int:
    """
    Run the node until SIGINT or SIGTERM.

    Args:
        arguments: the command line with ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 if the node could not start.
    """
    # rclpy's own handler shuts ROS down.  Python's would raise KeyboardInterrupt anywhere in a
    # callback; if that has just acquired a lock, the lock is never released
    # (https://github.com/python/cpython/issues/148874) and shutdown would block forever.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        rclpy.init(args=arguments)
    except RuntimeError as error:
        # Invalid arguments or parameter files; the message includes a source line of rcl.
        print(f'{NODE_NAME}: {error}', file=sys.stderr)
        return 1
    stack = ExitStack()
    stack.callback(rclpy.try_shutdown)
    try:
        # One thread is faster than several here: no callback blocks, and rclpy's multi-threaded
        # executor loses images.
        executor = SingleThreadedExecutor()
        node = create_lifecycle_node(NODE_NAME)
        stack.callback(node.destroy_node)
        executor.add_node(node)
        retrain_node = stack.enter_context(closing(RetrainNode(node)))
        if not retrain_node.start():
            return 1 if rclpy.ok() else 0
        executor.spin()
    except Exception as error:
        # A signal shuts ROS down at any moment, and whatever uses it then fails.
        if rclpy.ok():
            if not isinstance(error, (RetrainError, FileNotFoundError)):
                raise
            get_logger(NODE_NAME).fatal(sentence(error))
            return 1
    finally:
        stack.close()
    return 0
