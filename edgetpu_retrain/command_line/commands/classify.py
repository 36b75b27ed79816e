# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command classify: classifies pictures, and writes text, JSON lines or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import csv
from pathlib import Path
import sys
from typing import Any, IO

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.chosen_model import load_chosen_model
from edgetpu_retrain.command_line.output import (
    json_line,
    NOT_READABLE,
    percent,
    progress_bar,
    say,
    warn_unreadable,
)
from edgetpu_retrain.command_line.sources import picture_source, plain_source
from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
from edgetpu_retrain.pictures.annotation import annotated_jpeg, Annotation
from edgetpu_retrain.recordings.image_bag import BagPart
from edgetpu_retrain.runtime.models.recognizer import Recognized
from edgetpu_retrain.store.files.disk_errors import as_store_error, store_error
from edgetpu_retrain.wording import one_line, presentable

Result = dict[str, Any]
"""A picture's name, camera and stamp, with its classification or the error that prevented it."""

FORMS = ('text', 'jsonl', 'csv')
CSV_COLUMNS = (
    'picture', 'camera', 'stamp_ns', 'label', 'score', 'unknown', 'model_version', 'error',
)  # fmt: skip


def _classified(found: Recognized, labels: Sequence[str], version: int) -> Result:
    """Return the fields of a result that describe its classification."""
    return {
        'label': found.label,
        'score': found.score,
        'unknown': found.unknown,
        'model_version': version,
        'scores': dict(zip(labels, map(float, found.scores), strict=True)),
    }


def _writer(form: str, file: IO[str], version: int) -> Callable[[Result], object]:
    """Return a function that writes one result to a file; ``form`` is one of FORMS."""
    rows = csv.DictWriter(file, CSV_COLUMNS, lineterminator='\n')
    if form == 'csv':
        rows.writeheader()

    def write(result: Result) -> None:
        if form == 'jsonl':
            file.write(f'{json_line(result)}\n')
        elif form == 'csv':
            row = result | {'model_version': version}
            if 'error' not in result:
                row |= {'score': f'{row["score"]:.6f}', 'unknown': str(row['unknown']).lower()}
            rows.writerow({name: one_line(row[name]) for name in CSV_COLUMNS if name in row})
        elif 'error' not in result:
            # Text has no lines for unreadable pictures: warn_unreadable reports them.
            text = f'{result["picture"]}: {result["label"]}, {percent(result["score"])}'
            file.write(f'{presentable(text)}\n')

    return write


@click.command()
@click.argument(
    'sources', type=options.PATH, nargs=-1, required=True, metavar='IMAGE...|FOLDER|BAG'
)
@options.bag_part
@options.bits
@options.model
@options.label_file
@options.background_label
@click.option(
    '--form', type=click.Choice(FORMS), default='text', show_default=True, help='Output format.'
)
@click.option('--json', 'as_json', is_flag=True, help='The same as --form jsonl.')
@click.option('--output', type=options.PATH, help='Where results go.  [default: to the terminal]')
@click.option(
    '--annotated',
    type=options.PATH,
    metavar='FOLDER',
    help='Also write annotated pictures to this folder.',
)
@options.device
@options.data_dir
def classify(
    sources: tuple[Path, ...],
    part: BagPart,
    bits: int,
    model: options.NamedModel,
    label_file: Path | None,
    background_label: str,
    form: str,
    as_json: bool,
    output: Path | None,
    annotated: Path | None,
    device: str,
    threads: int,
    data_dir: str,
) -> None:
    """
    Classify pictures: files, all pictures below a folder, or the images of a bag.

    The percentage after a label is the model's confidence.  Pictures that cannot be read are
    reported and skipped.
    """
    faults: list[tuple[str, str]] = []
    count = 0
    with picture_source(bits) as source, plain_source(sources, part, source) as pictures:
        recognizer, version = load_chosen_model(
            model, label_file, background_label, data_dir, device, threads
        )
        if annotated is not None:
            _make_empty_folder(annotated)
        with _destination(output) as file, progress_bar('classifying', pictures.total) as step:
            write = _writer('jsonl' if as_json else form, file, version)
            try:
                for recorded in pictures.pictures:
                    name, camera, stamp = recorded.name, recorded.camera, recorded.stamp_ns
                    result = {'picture': name, 'camera': camera, 'stamp_ns': stamp}
                    try:
                        picture = recorded.read()
                        found = recognizer.recognize(picture.for_model(recognizer.input_side))
                    except ImageError as error:
                        faults.append((name, str(error)))
                        write(result | {'error': str(error)})
                    else:
                        count += 1
                        write(result | _classified(found, recognizer.labels, version))
                        if annotated is not None:
                            note = Annotation(found.label, found.score, found.unknown, version)
                            jpeg = annotated_jpeg(picture.whole, note)
                            _write_picture(annotated / f'{count:06d}.jpg', jpeg)
                    step()
            finally:
                warn_unreadable(faults)
    summary = pictures.summary('classified', {NOT_READABLE: len(faults)})
    if not count and not faults:
        raise RequestError(
            f'the selection has no image ({summary}): select a larger part of the bag'
        )
    if not count:
        raise RecordingError(f'no picture could be read; the first one: {faults[0][1]}')
    say(summary)


def _make_empty_folder(folder: Path) -> None:
    """
    Create the folder for annotated pictures; if it exists, check that it is empty.

    Raises:
        RequestError: if the folder cannot be created or listed, or is not empty.
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


def _write_picture(path: Path, jpeg: bytes) -> None:
    with as_store_error('write', path):
        path.write_bytes(jpeg)


@contextmanager
def _destination(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open('w', encoding='utf-8', errors='backslashreplace', newline='')
    except OSError as error:
        raise RequestError(
            f'{output} cannot be written ({error.strerror}): give another --output'
        ) from error
    try:
        with file:
            yield file
    except OSError as error:
        raise store_error('write', output, error) from error
