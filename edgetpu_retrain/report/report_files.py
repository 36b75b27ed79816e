# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""write_report: writes the page of a report, and one picture of all its figures."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.report.analysis.analysis import analyse, OnStep
from edgetpu_retrain.report.analysis.report_data import read_report_data
from edgetpu_retrain.report.pictures import picture_urls
from edgetpu_retrain.report.words.cards import displayed_samples
from edgetpu_retrain.report.words.conclusions import conclude
from edgetpu_retrain.report.words.summary import summary_of
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import make_folder, write_durably

DEFAULT_NAME = 'report.html'

# Python packages that only a report needs, with the Debian packages that contain them.
_NEEDED = {'matplotlib': 'python3-matplotlib', 'jinja2': 'python3-jinja2'}


class WrittenReport(NamedTuple):
    """The files of a report that was written, and its conclusions."""

    html: Path
    """The page, which is self-contained."""
    png: Path
    """The picture of all figures."""
    summary: dict[str, Any]
    """The conclusions and the numbers behind them, for JSON."""


def write_report(
    data_dir: Path, out: Path, *, version: int = 0, on_step: OnStep = lambda _: None
) -> WrittenReport:
    """
    Write a report on the samples in a data folder and on the training on them.

    The function runs about 25 trainings, mainly for cross-validation and a learning curve, which
    take seconds for hundreds of samples and minutes for tens of thousands.  It does not change any
    sample or model; a node may use the data folder at the same time.

    Args:
        data_dir: the data folder.
        out: the .html file to write, or a folder for ``report.html``; the picture of all figures
            gets the same name with .png.  Existing files are replaced.
        version: the model version to report on; 0 = the serving one, or the latest if none serves.
        on_step: called at the start of each longer step with its description.

    Returns:
        The written files, and a summary.

    Raises:
        RequestError: if there is nothing to report (no samples, one class, samples of another
            extractor than the version's, no models although a version is given), if the options
            of the version are invalid, or if matplotlib or Jinja2 is not installed.
        StoreError: if samples or models cannot be read, there is no such version, or the report
            cannot be written.
    """
    _check_installed()
    # Import these here, because only a report needs them, and importing them takes time.
    from edgetpu_retrain.report.drawing.figures import drawings, sheet_of
    from edgetpu_retrain.report.page import page_of

    html = Path(out).absolute()
    if html.suffix.lower() not in {'.html', '.htm'} or html.is_dir():
        html /= DEFAULT_NAME
    png = html.with_suffix('.png')
    data = read_report_data(data_dir, version)
    with as_store_error('write the report', html):
        # Fail before the analysis, which may take minutes, if the folder cannot be created.
        make_folder(html.parent)
    analysis = analyse(data, on_step)
    on_step('drawing')
    top = conclude(analysis)
    figures = drawings(analysis)
    pictures = picture_urls(data.folder, displayed_samples(analysis))
    page = page_of(analysis, top, figures, pictures)
    sheet = sheet_of(figures, analysis, top)
    with as_store_error('write the report', html):
        write_durably(png, sheet)
        write_durably(html, page.encode())
    return WrittenReport(html, png, summary_of(analysis, top))


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        packages = ' '.join(_NEEDED[name] for name in missing)
        raise RequestError(
            f'a report needs {" and ".join(missing)}, which this Python does not have: '
            f'python3 -m pip install {" ".join(missing)}, or, beside a ROS 2 from its Debian '
            f'packages, sudo apt-get install {packages}'
        )
