# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line: a group of all commands."""

from __future__ import annotations

from collections.abc import Sequence
import io
import sys

import click
from edgetpu_retrain.command_line.commands.classify import classify
from edgetpu_retrain.command_line.commands.evaluate import evaluate
from edgetpu_retrain.command_line.commands.extractor import extractor
from edgetpu_retrain.command_line.commands.fleet import fleet
from edgetpu_retrain.command_line.commands.models import models
from edgetpu_retrain.command_line.commands.questions import questions
from edgetpu_retrain.command_line.commands.report import report
from edgetpu_retrain.command_line.commands.samples import samples
from edgetpu_retrain.command_line.commands.teach import teach
from edgetpu_retrain.command_line.commands.train import train
from edgetpu_retrain.exit_codes import print_error, run_command, WORK_FAILED


@click.group(context_settings={'help_option_names': ['-h', '--help'], 'max_content_width': 100})
def cli() -> None:
    """
    Teach, train and use a robot's classifier from recordings, with or without its node.

    The commands work on the node's data folder (--data-dir), even while the node runs.  The exit
    code is 0 on success, 1 if the command failed, and 2 for a usage error.
    """


for _command in (
    *(teach, train, evaluate, classify, report, samples, questions, models, extractor, fleet),
):
    cli.add_command(_command)


def run(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Args:
        arguments: the command-line arguments; None uses those of this process.

    Returns:
        The exit code: 0, 1 if the command failed or was interrupted, 2 for a usage error.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            # File names may contain bytes that are not valid text; escape them in the output.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors='backslashreplace')
        return run_command(cli, arguments)
    except (click.exceptions.Abort, KeyboardInterrupt):
        print_error('stopped; what was finished by then is kept')
        return WORK_FAILED
