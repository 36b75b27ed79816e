# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An isolated ROS session for a benchmark and the processes that it starts."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
import signal
import sys
import threading
from typing import Any

from edgetpu_retrain.processes.isolation import private_domain_id, private_environment
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

ROOT = Path(__file__).resolve().parents[2]
LARGE_IMAGES_PROFILE = ROOT / 'config' / 'fastdds_large_images.xml'


@contextlib.contextmanager
def ros_session(folder: Path) -> Iterator[None]:
    """
    Initialize rclpy on a private DDS domain, and shut it down at the end of the context.

    The environment of this process is changed, so that its child processes join the same domain
    and can import ``benchmarks``.  SIGTERM raises SystemExit, so that contexts end these children:
    they would otherwise publish into the next benchmark.

    Args:
        folder: folder for ROS_HOME and ROS_LOG_DIR.
    """
    with private_domain_id() as domain_id:
        environment = private_environment(domain_id, folder)
        environment['PYTHONPATH'] = os.pathsep.join([environment['PYTHONPATH'], str(ROOT)])
        os.environ.update(environment)
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        signal.signal(signal.SIGTERM, _exit)
        try:
            yield
        finally:
            rclpy.try_shutdown()


@contextlib.contextmanager
def spinning_node(name: str) -> Iterator[Node]:
    """Create the node of a child process, which spins in a thread during the context."""
    rclpy.init()
    node = rclpy.create_node(name)
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def spin() -> None:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()

    threading.Thread(target=spin, daemon=True).start()
    try:
        yield node
    finally:
        rclpy.try_shutdown()


def _exit(number: int, _frame: Any) -> None:
    sys.exit(128 + number)
