# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program fleet: checks that ROS and the libraries of a fleet are installed, then joins it."""

from __future__ import annotations

import sys

from edgetpu_retrain.errors import LibraryMissingError, RosMissingError


def main(arguments: list[str] | None = None) -> int:
    """
    Be a member of a fleet until a signal; see :func:`ros_process.run`.

    Args:
        arguments: the command line; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 without ROS or a library, or if it cannot start.
    """
    try:
        from edgetpu_retrain.fleet.ros_process import run
    except (RosMissingError, LibraryMissingError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
