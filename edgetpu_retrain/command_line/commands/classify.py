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
from edgetpu_retrain.command_line.output import progress_bar, tell_unreadable
from edgetpu_retrain.command_line.result_files import AnnotatedFiles, FORMS, ResultWriter
from edgetpu_retrain.command_line.sources import plain_source
from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
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
    type=click.Choice(list(FORMS)),
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
    topic: str,
    from_s: float,
    to_s: float,
    every_s: float,
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
    part = BagPart(topic, from_s, to_s, every_s)
    unreadable: list[tuple[str, str]] = []
    answered = 0
    with plain_source(sources, part) as pictures:
        chosen = load_chosen_model(model, label_file, data_dir, device, threads)
        files = None if annotated is None else AnnotatedFiles(annotated, chosen.version)
        total = pictures.total
        with _destination(output) as file, progress_bar('classifying', total) as step:
            writer: ResultWriter = FORMS['jsonl' if as_json else form](
                file, chosen.recognizer.labels, chosen.version
            )
            try:
                for picture in pictures.pictures:
                    try:
                        rgb = picture.read()
                        answer = chosen.recognizer.recognize(rgb)
                    except ImageError as error:
                        unreadable.append((picture.name, str(error)))
                        writer.write_fault(picture, str(error))
                    else:
                        answered += 1
                        writer.write(picture, answer)
                        if files is not None:
                            files.write(rgb, answer)
                    step()
            finally:
                tell_unreadable(unreadable)
    if not answered and not unreadable:
        raise RequestError('there is no image in the part that was asked for: ask for more')
    if not answered:
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
