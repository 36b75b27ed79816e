# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One life of the node in a process: start, spin, end in order."""

from __future__ import annotations

from contextlib import closing, ExitStack
import signal
import sys

from edgetpu_retrain.errors import RetrainError
import edgetpu_retrain.needs_ros  # noqa: F401
from edgetpu_retrain.node.managed_node import create_managed_node
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
        arguments: the command line with ROS arguments, None = this process's own.

    Returns:
        The exit code: 0 after a signal, 1 when the node could not start.
    """
    # rclpy's own handler, which shuts ROS down, is enough.  Python's would raise a
    # KeyboardInterrupt wherever a callback is, and one that has just taken a lock never gives it
    # back (https://github.com/python/cpython/issues/148874): the end would wait for ever.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        rclpy.init(args=arguments)
    except RuntimeError as error:
        # What is said about arguments or parameter files comes with a file and line of rcl.
        print(f'{NODE_NAME}: {error}', file=sys.stderr)
        return 1
    stack = ExitStack()
    stack.callback(rclpy.try_shutdown)
    try:
        # One thread is faster than several here: no callback waits for anything, and rclpy's
        # multi-threaded executor loses images.
        executor = SingleThreadedExecutor()
        node = create_managed_node(NODE_NAME)
        stack.callback(node.destroy_node)
        executor.add_node(node)
        retrain_node = stack.enter_context(closing(RetrainNode(node)))
        if not retrain_node.start():
            return 1 if rclpy.ok() else 0
        executor.spin()
    except Exception as error:
        # A signal ends ROS at any moment, and whatever is being done with it then fails.
        if rclpy.ok():
            if not isinstance(error, (RetrainError, FileNotFoundError)):
                raise
            get_logger(NODE_NAME).fatal(sentence(error))
            return 1
    finally:
        stack.close()
    return 0
