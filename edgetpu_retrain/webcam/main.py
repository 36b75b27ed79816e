# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program webcam: checks that ROS is installed, then publishes."""

from __future__ import annotations

import sys

from edgetpu_retrain.errors import RosMissingError


def main(arguments: list[str] | None = None) -> int:
    """
    Publish a webcam or a video file until a signal; see :func:`webcam_node.run`.

    Args:
        arguments: the command line; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 if there are no pictures or no ROS, 2 for an invalid
        argument.
    """
    try:
        from edgetpu_retrain.webcam.webcam_node import run
    except RosMissingError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
