# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program fleet: checks that ROS and the libraries of a fleet are installed, then joins it."""

from __future__ import annotations

import logging
import signal
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
    # Ctrl-C while modules are imported; the event loop has a handler of its own.
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    # What it logs of each lost TLS connection helps nobody.
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
