# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes the results of classify as text, JSON lines, CSV and annotated pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import csv
from pathlib import Path
from typing import Any, IO

from edgetpu_retrain.command_line.output import json_line, percent
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.runtime.models.recognizer import Recognized

Result = dict[str, Any]
"""A picture's name, camera and stamp, with its classification or the error that prevented it."""

Writer = Callable[[Result], object]

CSV_COLUMNS = (
    'picture', 'camera', 'stamp_ns', 'label', 'score', 'unknown', 'model_version', 'error',
)  # fmt: skip


def classified(found: Recognized, labels: Sequence[str], version: int) -> Result:
    """Return the fields of a result that describe its classification."""
    return {
        'label': found.label,
        'score': found.score,
        'unknown': found.unknown,
        'model_version': version,
        'scores': dict(zip(labels, map(float, found.scores), strict=True)),
    }


def _text_writer(file: IO[str], _version: int) -> Writer:
    def write(result: Result) -> None:
        # Unreadable pictures are reported as warnings.
        if 'error' not in result:
            file.write(f'{result["picture"]}: {result["label"]}, {percent(result["score"])}\n')

    return write


def _json_writer(file: IO[str], _version: int) -> Writer:
    return lambda result: file.write(f'{json_line(result)}\n')


def _csv_writer(file: IO[str], version: int) -> Writer:
    writer = csv.DictWriter(file, CSV_COLUMNS, extrasaction='ignore', lineterminator='\n')
    writer.writeheader()

    def write(result: Result) -> None:
        row = result | {'model_version': version}
        if 'error' not in result:
            row['score'] = f'{row["score"]:.6f}'
            row['unknown'] = str(row['unknown']).lower()
        writer.writerow(row)

    return write


WRITERS: Mapping[str, Callable[[IO[str], int], Writer]] = {
    'text': _text_writer,
    'jsonl': _json_writer,
    'csv': _csv_writer,
}
"""By format: a function that returns a writer, given the output file and the model's version."""


def make_empty_folder(folder: Path) -> None:
    """
    Create a folder for annotated pictures if needed; an existing one must be empty.

    Raises:
        RequestError: if the folder cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise RequestError(
            f'{folder} cannot be used for annotated pictures ({error.strerror}): give another '
            'folder'
        ) from error
    if not empty:
        raise RequestError(f'{folder} is not empty: give a folder that is new or empty')
