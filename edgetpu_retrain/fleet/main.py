# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program ``fleet``: runs the fleet process if ROS and the needed libraries are installed."""

from __future__ import annotations

import logging
import os
import signal
import sys

from edgetpu_retrain.errors import LibraryMissingError, RosMissingError


def main(arguments: list[str] | None = None) -> int:
    """
    Run a member of a fleet until a signal arrives; see :func:`ros_process.run`.

    Args:
        arguments: the command line; None = that of this process.

    Returns:
        The exit code: 0 after a signal; 1 if ROS or a library is missing, or if the member cannot
        start.
    """
    # During the imports, nothing is open that has to be closed, so a signal ends the process at
    # once.  An exception would not always end it: Python only prints an exception that is raised
    # in a callback of the import system, and goes on.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    # asyncio logs a warning about eof_received() for each lost TLS connection; users can do
    # nothing about it.
    logging.getLogger('asyncio').addFilter(_is_worth_logging)
    try:
        from edgetpu_retrain.fleet.ros_process import run
    except (RosMissingError, LibraryMissingError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return run(arguments)


def _is_worth_logging(record: logging.LogRecord) -> bool:
    return 'eof_received' not in record.getMessage()


if __name__ == '__main__':
    sys.exit(main())
