# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""The command report: whether there are enough samples, and which look wrong."""

from __future__ import annotations

from pathlib import Path

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.output import emit
from edgetpu_retrain.command_line.workspace import existing_folder
from edgetpu_retrain.report import write_report
from edgetpu_retrain.report.report_files import DEFAULT_NAME
from rich.console import Console


@click.command()
@click.option(
    '--out',
    type=options.PATH,
    default=DEFAULT_NAME,
    show_default=True,
    help='The .html file to write, or a folder for it; all figures come beside it as .png.',
)
@click.option(
    '--version',
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help='Model version to report on; 0 = the one that serves, or the latest.',
)
@options.data_dir
@options.as_json
def report(out: Path, version: int, data_dir: str, as_json: bool) -> None:
    """
    Write a page that tells whether more samples would help, and which look wrong.

    It trains about twenty times, which takes seconds for hundreds of samples and minutes for tens
    of thousands.  The data folder stays as it is.
    """
    console = Console(stderr=True)
    with console.status('reading') as status:
        files = write_report(
            existing_folder(data_dir),
            out,
            version=version,
            on_step=status.update,
        )
    if as_json:
        emit({'html': str(files.html), 'png': str(files.png)})
    else:
        click.echo(f'The report is {files.html}, its figures alone are {files.png}.')
