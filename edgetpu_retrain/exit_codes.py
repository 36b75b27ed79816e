# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The exit codes of the command line and of replay, and a function that runs their commands."""

from __future__ import annotations

from collections.abc import Sequence
import contextlib

import click
from edgetpu_retrain.errors import RequestError, RetrainError, TOO_LITTLE_MEMORY
from edgetpu_retrain.wording import presentable, sentence

WORK_FAILED = 1
CALL_WAS_WRONG = 2


def run_command(command: click.Command, arguments: Sequence[str] | None) -> int:
    """
    Run a command, print its error, if any, and return the exit code.

    Args:
        command: the command.
        arguments: the command-line arguments; None uses those of this process.

    Raises:
        click.exceptions.Abort: if the user interrupts the command.
    """
    try:
        code = command.main(arguments, standalone_mode=False)
    except click.ClickException as error:
        vars(error)['message'] = presentable(error.message)
        error.show()
        return error.exit_code
    except (RetrainError, OSError) as error:
        print_error(error)
        return CALL_WAS_WRONG if isinstance(error, RequestError) else WORK_FAILED
    except MemoryError:
        print_error(TOO_LITTLE_MEMORY)
        return WORK_FAILED
    return code if isinstance(code, int) else 0


def print_error(error: object) -> None:
    """Print an error to standard error; do nothing if standard error is closed."""
    with contextlib.suppress(OSError):
        click.echo(presentable(f'error: {sentence(error)}'), err=True)
