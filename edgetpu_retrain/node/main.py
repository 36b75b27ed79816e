# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program edgetpu_retrain_node: tunes the process, then spins the node."""

from __future__ import annotations

import sys

from edgetpu_retrain.errors import RosMissingError
from edgetpu_retrain.node.process.tuning import tune_process


def main(arguments: list[str] | None = None) -> int:
    """
    Run the node until SIGINT or SIGTERM.

    Args:
        arguments: the command line, including ROS arguments; None = ``sys.argv``.

    Returns:
        The exit code: 0 after a signal, 1 if ROS is missing or the node could not be started.
    """
    tune_process()
    # Import after tuning: importing rclpy starts threads, which would get separate memory arenas.
    try:
        from edgetpu_retrain.node.spin import run
    except RosMissingError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
