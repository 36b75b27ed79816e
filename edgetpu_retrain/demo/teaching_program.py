# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the program of a demonstration that teaches: with ROS, and with its exit codes."""

from __future__ import annotations

from collections.abc import Callable
import sys

from edgetpu_retrain.client import RetrainClientError
from edgetpu_retrain.demo.stage import StageError
from edgetpu_retrain.processes.program_error import ProgramError
import rclpy
from rclpy.executors import ExternalShutdownException


def run_with_ros(teach: Callable[[], None]) -> int:
    """
    Initialize ROS, call a function, and shut ROS down.

    Args:
        teach: teaches; its errors about nodes, cameras and programs are printed.

    Returns:
        The exit code: 0 if the function completes, 1 after an error, 130 after a signal.
    """
    rclpy.init(args=[])
    try:
        teach()
    except (RetrainClientError, StageError, ProgramError) as error:
        print(f'The demonstration stopped: {error}.', file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130
    finally:
        rclpy.try_shutdown()
    return 0
