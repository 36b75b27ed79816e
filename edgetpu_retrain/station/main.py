# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program edgetpu_retrain_teach."""

from __future__ import annotations

from collections.abc import Sequence
import sys

from edgetpu_retrain.processes.imports import importing


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run camera, node and page until a signal; see :func:`command.run`.

    Args:
        arguments: the command-line arguments; None = those of this process.

    Returns:
        The exit code: 0 after a signal, 1 if a process fails to start or ends.
    """
    with importing():
        from edgetpu_retrain.station.command import run
    return run(arguments)


if __name__ == '__main__':
    sys.exit(main())
