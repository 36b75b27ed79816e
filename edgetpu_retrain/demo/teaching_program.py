# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the main function of a demo's teacher with ROS, and returns its exit code."""

from __future__ import annotations

from collections.abc import Callable
import sys

from edgetpu_retrain.client import RetrainClientError
from edgetpu_retrain.demo.stage import StageError
from edgetpu_retrain.processes.program_error import ProgramError
from edgetpu_retrain.wording import sentence
import rclpy
from rclpy.executors import ExternalShutdownException


def run_with_ros(teach: Callable[[], None]) -> int:
    """
    Initialize ROS, call a function, and shut ROS down.

    Args:
        teach: the function; RetrainClientError, StageError and ProgramError are printed.

    Returns:
        The exit code: 0 if the function completes, 1 after one of these errors, 130 after a
        signal.
    """
    rclpy.init(args=[])
    try:
        teach()
    except (RetrainClientError, StageError, ProgramError) as error:
        print(f'The demonstration stopped: {sentence(error)}', file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130
    finally:
        rclpy.try_shutdown()
    return 0
