# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program ``replay``: plays a bag, or prints an error if ROS is missing."""

from __future__ import annotations

import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: list[str] | None = None) -> int:
    """
    Play a bag; see :func:`command.run`.

    Args:
        arguments: the command line, including ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 (also after a signal), 1 if the bag cannot be read or the middleware
        rejects the node, 2 if an argument is wrong, such as the path of the bag.

    Raises:
        SystemExit: if ROS is missing.
    """
    with importing():
        from edgetpu_retrain.replay.command import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
