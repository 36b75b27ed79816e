# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program ``page``: serves the teaching page, or prints an error if ROS is missing."""

from __future__ import annotations

from collections.abc import Sequence
import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Serve the page until SIGINT or SIGTERM; see :func:`command.run`.

    Args:
        arguments: the command-line arguments, including ROS arguments, without the name of the
            program; None = those of this process.

    Returns:
        The exit code: 0 after a signal, 1 if the server cannot start.

    Raises:
        SystemExit: if ROS is missing or an option is invalid, or after --help.
    """
    with importing():
        from edgetpu_retrain.page.command import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
