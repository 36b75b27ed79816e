# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program ``fleet``: runs the fleet process if ROS and the needed libraries are installed."""

from __future__ import annotations

import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: list[str] | None = None) -> int:
    """
    Run a member of a fleet until a signal arrives; see :func:`ros_process.run`.

    Args:
        arguments: the command line, including ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 if the member cannot start.

    Raises:
        SystemExit: if ROS or a library is missing.
    """
    with importing():
        from edgetpu_retrain.fleet.ros_process import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
