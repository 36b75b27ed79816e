# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program ``webcam``: runs the webcam node, or prints an error if ROS is missing."""

from __future__ import annotations

import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: list[str] | None = None) -> int:
    """
    Publish images from a webcam or a video file until a signal; see :func:`webcam_node.run`.

    Args:
        arguments: the command line with ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 if the webcam or file cannot be read or the middleware
        rejects the node, 2 for an invalid argument or parameter.

    Raises:
        SystemExit: if ROS is missing.
    """
    with importing():
        from edgetpu_retrain.webcam.webcam_node import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
