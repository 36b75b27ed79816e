# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command evaluate: measures a model's accuracy on labelled pictures."""

from __future__ import annotations

from pathlib import Path

import click
from edgetpu_retrain import evaluation
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.chosen_model import load_chosen_model
from edgetpu_retrain.command_line.output import (
    emit,
    percent,
    progress_bar,
    table,
    tell_unreadable,
    warn,
)
from edgetpu_retrain.command_line.sources import labelled_source
from edgetpu_retrain.errors import RecordingError, RequestError
from edgetpu_retrain.label import UNKNOWN
from edgetpu_retrain.recordings.image_bag import BagPart


@click.command()
@click.argument('source', type=options.PATH, metavar='FOLDER|BAG')
@options.bag_part
@click.option('--label', default='', help='For a bag: the label of its images.')
@options.model
@options.label_file
@options.device
@options.data_dir
@options.as_json
def evaluate(
    source: Path,
    topic: str,
    from_s: float,
    to_s: float,
    every_s: float,
    label: str,
    model: str,
    label_file: Path | None,
    device: str,
    threads: int,
    data_dir: str,
    as_json: bool,
) -> None:
    """
    Evaluate a model on labelled pictures: FOLDER with one sub-folder per class, or BAG.

    For pictures of other classes than the model's, 'unknown' is the correct classification.
    """
    part = BagPart(topic, from_s, to_s, every_s)
    with labelled_source(source, part, label, for_teaching=False) as pictures:
        chosen = load_chosen_model(model, label_file, data_dir, device, threads)
        labels = chosen.recognizer.labels
        _check_classes(pictures.labels, labels, source)
        result = evaluation.Evaluation(labels, pictures.labels)
        try:
            with progress_bar('evaluating', pictures.total) as step:
                evaluation.evaluate(pictures.pictures, chosen.recognizer, result, step)
        finally:
            tell_unreadable(result.unreadable)
    if not result.pictures:
        raise RecordingError(f'no picture in {source} could be read: give JPEG or PNG files')
    if as_json:
        emit(_as_json(result, chosen.version))
    else:
        _print(result, chosen.version)


def _check_classes(truths: tuple[str, ...], labels: tuple[str, ...], source: Path) -> None:
    strangers = [name for name in truths if name not in labels and name != UNKNOWN]
    if strangers and len(strangers) == len(truths):
        raise RequestError(
            f'{source} shows {_some(truths)}, and the classes of the model are {_some(labels)}: '
            'name the sub-folders, or --label, as the classes are named'
        )
    if strangers:
        warn(
            f'{_some(strangers)} are no classes of the model: of these, the right answer is '
            f'{UNKNOWN!r}'
        )


def _some(names: list[str] | tuple[str, ...]) -> str:
    shown = ', '.join(names[:8])
    return shown if len(names) <= 8 else f'{shown} and {len(names) - 8} more'


def _as_json(result: evaluation.Evaluation, version: int) -> dict[str, object]:
    return {
        'model_version': version,
        'accuracy': result.accuracy,
        'pictures': result.pictures,
        'right': result.right,
        'names': list(result.names),
        'confusion_matrix': result.confusion_matrix.tolist(),
        'mistakes': [vars(mistake) for mistake in result.mistakes],
        'unreadable': [{'picture': name, 'reason': why} for name, why in result.unreadable],
    }


def _print(result: evaluation.Evaluation, version: int) -> None:
    model = f'Model version {version}' if version else 'The model'
    click.echo(
        f'{model} is right on {result.right} of {result.pictures} pictures, '
        f'{percent(result.accuracy)}.'
    )
    rows = []
    for name in result.names:
        right, count = result.right_of(name)
        if count:
            rows.append((name, count, right, percent(right / count), _confused(result, name)))
    click.echo(table(('shown', 'pictures', 'right', 'share', 'taken for'), rows))


def _confused(result: evaluation.Evaluation, name: str) -> str:
    """Return the classes that a class was confused with, the most frequent first."""
    answers: dict[str, int] = {}
    for mistake in result.mistakes:
        if mistake.truth == name:
            answers[mistake.answer] = answers.get(mistake.answer, 0) + 1
    often = sorted(answers, key=lambda answer: -answers[answer])
    return ', '.join(f'{answer} ({answers[answer]})' for answer in often[:3])
