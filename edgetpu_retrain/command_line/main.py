# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The entry point of the command line."""

from __future__ import annotations

from collections.abc import Sequence
import signal
import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command; see :func:`group.run`.

    Args:
        arguments: the command-line arguments; None uses those of this process.

    Returns:
        The exit code: 0, 1 if the command failed or was interrupted, 2 for a usage error.
    """
    with importing(exit_code=1, signals=(signal.SIGINT,)):
        from edgetpu_retrain.command_line.group import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
