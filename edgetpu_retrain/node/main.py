# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program edgetpu_retrain_node: tunes the process, then spins the node."""

from __future__ import annotations

import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: list[str] | None = None) -> int:
    """
    Run the node until SIGINT or SIGTERM.

    Args:
        arguments: the command line, including ROS arguments; None = ``sys.argv``.

    Returns:
        The exit code: 0 after a signal, 1 if the node could not be started.

    Raises:
        SystemExit: if ROS is missing.
    """
    with importing():
        from edgetpu_retrain.node.process.tuning import tune_process

        tune_process()
        # Import after tuning: importing rclpy starts threads, which would get separate memory
        # arenas.
        from edgetpu_retrain.node.spin import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
