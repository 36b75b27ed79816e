# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates the node, spins it until a signal arrives, and closes it."""

from __future__ import annotations

from contextlib import closing, ExitStack
import signal
import sys

from edgetpu_retrain.errors import RequestError
import edgetpu_retrain.needs_ros  # noqa: F401
from edgetpu_retrain.node.older_rclpy import create_lifecycle_node
from edgetpu_retrain.node.requests.callback_errors import FOR_THE_USER, logged_errors
from edgetpu_retrain.node.retrain_node import RetrainNode
from edgetpu_retrain.processes.joining import initializing
from edgetpu_retrain.wording import presentable, sentence
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger

NODE_NAME = 'edgetpu_retrain'


def run(arguments: list[str] | None = None) -> int:
    """
    Run the node until SIGINT or SIGTERM.

    Args:
        arguments: the command line, including ROS arguments; None = ``sys.argv``.

    Returns:
        The exit code: 0 after a signal, 1 if the node could not be started.
    """
    # Leave SIGINT to the signal handler of rclpy, which shuts ROS down.  Python's handler would
    # raise KeyboardInterrupt anywhere in a callback.  If the callback had just acquired a lock,
    # the lock would never be released (https://github.com/python/cpython/issues/148874), and
    # shutdown would block.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with initializing():
            rclpy.init(args=arguments)
    except RequestError as error:
        print(presentable(f'{NODE_NAME}: {error}'), file=sys.stderr)
        return 1
    stack = ExitStack()
    stack.callback(rclpy.try_shutdown)
    try:
        # One thread is enough, because only lifecycle transitions block it for long.
        executor = SingleThreadedExecutor()
        node = create_lifecycle_node(NODE_NAME)
        stack.callback(node.destroy_node)
        executor.add_node(node)
        retrain_node = stack.enter_context(closing(RetrainNode(node)))
        retrain_node.start()
        while rclpy.ok():
            with logged_errors(node):
                executor.spin()
    except Exception as error:
        # A signal can shut ROS down at any time; calls to rclpy then fail.
        if rclpy.ok():
            if not isinstance(error, FOR_THE_USER):
                raise
            get_logger(NODE_NAME).fatal(sentence(error))
            return 1
    finally:
        stack.close()
    return 0
