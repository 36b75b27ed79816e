# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program replay: checks that ROS is installed, then plays a bag."""

from __future__ import annotations

import sys

from edgetpu_retrain.errors import RosMissingError


def main(arguments: list[str] | None = None) -> int:
    """
    Play a bag.

    Args:
        arguments: the command line, including ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 (also after a signal), 1 if the bag cannot be read or ROS is missing, 2
        if an argument is wrong, such as the path of the bag.
    """
    try:
        from edgetpu_retrain.replay.command import run
    except RosMissingError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
