# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command classify: classifies pictures with a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import sys
from typing import IO

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.chosen_model import load_chosen_model
from edgetpu_retrain.command_line.output import progress_bar, warn_unreadable
from edgetpu_retrain.command_line.result_files import classified, make_empty_folder, WRITERS
from edgetpu_retrain.command_line.sources import plain_source
from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
from edgetpu_retrain.pictures.annotation import annotated_jpeg, Annotation
from edgetpu_retrain.recordings.image_bag import BagPart


@click.command()
@click.argument(
    'sources', type=options.PATH, nargs=-1, required=True, metavar='IMAGE...|FOLDER|BAG'
)
@options.bag_part
@options.model
@options.label_file
@click.option(
    '--form',
    type=click.Choice(list(WRITERS)),
    default='text',
    show_default=True,
    help='Output format.',
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
    model: str,
    label_file: Path | None,
    form: str,
    as_json: bool,
    output: Path | None,
    annotated: Path | None,
    device: str,
    threads: int,
    data_dir: str,
) -> None:
    """
    Classify pictures: files, all files below a folder, or the images of a bag.

    The percentage after a label is its probability among the model's classes.
    Pictures that cannot be read are reported and skipped.
    """
    faults: list[tuple[str, str]] = []
    count = 0
    with plain_source(sources, part) as pictures:
        recognizer, version = load_chosen_model(model, label_file, data_dir, device, threads)
        if annotated is not None:
            make_empty_folder(annotated)
        total = pictures.total
        with _destination(output) as file, progress_bar('classifying', total) as step:
            write = WRITERS['jsonl' if as_json else form](file, version)
            try:
                for picture in pictures.pictures:
                    name, camera, stamp = picture.name, picture.camera, picture.stamp_ns
                    result = {'picture': name, 'camera': camera, 'stamp_ns': stamp}
                    try:
                        rgb = picture.read()
                        found = recognizer.recognize(rgb)
                    except ImageError as error:
                        faults.append((name, str(error)))
                        write(result | {'error': str(error)})
                    else:
                        count += 1
                        write(result | classified(found, recognizer.labels, version))
                        if annotated is not None:
                            note = Annotation(found.label, found.score, found.unknown, version)
                            path = annotated / f'{count:06d}.jpg'
                            path.write_bytes(annotated_jpeg(rgb, note))
                    step()
            finally:
                warn_unreadable(faults)
    if not count and not faults:
        raise RequestError('the selection has no image: select a larger part of the bag')
    if not count:
        raise RecordingError('no picture could be read: give JPEG or PNG files')


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
    with file:
        yield file
