# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the node of a small program until a signal, and reports errors to its user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
import sys

from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.processes.joining import initializing
from edgetpu_retrain.wording import sentence
import rclpy
from rclpy.executors import ExternalShutdownException


def run_node(arguments: Sequence[str] | None, spin: Callable[[ExitStack], None]) -> int:
    """
    Initialize ROS, and run a node until a signal.

    Args:
        arguments: the command line with ROS arguments; None = that of this process.
        spin: creates and spins the node; what it adds to the stack is released before ROS is shut
            down.

    Returns:
        The exit code: 0 after a signal, 2 for an invalid argument or parameter, 1 for another
        error, such as a node that the middleware rejects.
    """
    try:
        with initializing():
            rclpy.init(args=arguments)
    except RequestError as error:
        print(f'error: {sentence(error)}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    stack = ExitStack()
    stack.callback(rclpy.try_shutdown)
    with stack:
        try:
            spin(stack)
        except RetrainError as error:
            print(f'error: {sentence(error)}', file=sys.stderr)
            return 2 if isinstance(error, RequestError) else 1
        except (KeyboardInterrupt, ExternalShutdownException):
            pass
        except Exception:
            # A signal can shut ROS down at any time; calls to rclpy then fail.
            if rclpy.ok():
                raise
    return 0
