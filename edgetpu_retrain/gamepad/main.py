# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program ``gamepad``: runs the gamepad node, or prints an error if ROS is missing."""

from __future__ import annotations

import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: list[str] | None = None) -> int:
    """
    Teach with a gamepad until a signal; see :func:`gamepad_node.run`.

    Args:
        arguments: the command line with ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 if the middleware rejects the node, 2 for an invalid
        argument or parameter.

    Raises:
        SystemExit: if ROS is missing.
    """
    with importing():
        from edgetpu_retrain.gamepad.gamepad_node import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
