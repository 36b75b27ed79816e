# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command report: writes a page on the number and the labels of the samples."""

from __future__ import annotations

from pathlib import Path

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.output import emit
from edgetpu_retrain.command_line.workspace import existing_folder
from edgetpu_retrain.report.report_files import DEFAULT_NAME, write_report
from rich.console import Console


@click.command()
@click.option(
    '--out',
    type=options.PATH,
    default=DEFAULT_NAME,
    show_default=True,
    help='The .html file to write, or a folder for it; all figures are also written as .png.',
)
@click.option(
    '--version',
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help='Model version to report on; 0 = the serving one, or the latest.',
)
@options.data_dir_and_json
def report(out: Path, version: int, data_dir: str) -> None:
    """
    Write a page on whether more samples would help, and which samples may be mislabelled.

    The command runs about 25 trainings, which take seconds for hundreds of samples and minutes for
    tens of thousands.  It does not change any sample or model.
    """
    with Console(stderr=True).status('reading') as status:
        folder = existing_folder(data_dir)
        done = write_report(folder, out, version=version, on_step=status.update)
    summary = done.summary
    emit(
        {'html': str(done.html), 'png': str(done.png), **summary},
        summary['headline'],
        *summary['sentences'],
        *(f'- {problem["title"]}' for problem in summary['problems']),
        f'The report is {done.html}, its figures alone are {done.png}.',
    )
