# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program edgetpu_retrain_demo."""

from __future__ import annotations

from collections.abc import Sequence
import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the demo; see :func:`command.run`.

    Args:
        arguments: the command-line arguments; None = those of this process.

    Returns:
        The exit code: 0 if the node passes the exam, 1 if it fails the exam or the demo cannot
        complete, 2 for an invalid argument, 130 after a signal.
    """
    with importing(exit_code=130):
        from edgetpu_retrain.demo.command import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
