# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ProgramError: the error of a program that starts child processes."""

from __future__ import annotations

from collections.abc import Sequence

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.processes.child_process import Child


class ProgramError(RetrainError):
    """The child processes cannot start, or one has ended early."""

    def __str__(self) -> str:
        # RetrainError escapes line breaks, but this message quotes lines of logs.
        return Exception.__str__(self)


def ended_early(child: Child, suspects: Sequence[Child] = ()) -> ProgramError:
    """
    Return the error for a child that has ended early.

    Args:
        child: the child.
        suspects: the children whose logs may contain the cause; () = only ``child``.
    """
    return ProgramError(
        f'The {child.name.replace("_", " ")} ended early, with exit code {child.exit_code}. '
        f'The last lines of its log:\n{last_lines(suspects or [child])}'
    )


def last_lines(children: Sequence[Child]) -> str:
    """Return the last lines of each child's log, below the path of the log."""
    lines = ((child.log, child.last_log_lines()) for child in children)
    return '\n'.join(f'--- {log} ---\n{last or "(empty)"}' for log, last in lines)
