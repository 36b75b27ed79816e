# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command evaluate: measures a model's accuracy on labelled pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from edgetpu_retrain import evaluation
from edgetpu_retrain.command_line import options, output
from edgetpu_retrain.command_line.chosen_model import load_chosen_model
from edgetpu_retrain.command_line.sources import labelled_source, picture_source
from edgetpu_retrain.errors import RecordingError, RequestError
from edgetpu_retrain.label import UNKNOWN
from edgetpu_retrain.recordings.image_bag import BagPart
from edgetpu_retrain.wording import named


@click.command()
@click.argument('source', type=options.PATH, metavar='FOLDER|BAG')
@options.bag_part
@options.bits
@click.option('--label', default='', help='For a bag: the label of its images.')
@options.model
@options.label_file
@options.background_label
@options.device
@options.data_dir_and_json
def evaluate(
    source: Path,
    part: BagPart,
    bits: int,
    label: str,
    model: options.NamedModel,
    label_file: Path | None,
    background_label: str,
    device: str,
    threads: int,
    data_dir: str,
) -> None:
    """
    Evaluate a model on labelled pictures: FOLDER with one sub-folder per class, or BAG.

    For pictures of the background and of other classes than the model's, 'unknown' is the correct
    classification.
    """
    with (
        picture_source(bits) as reading,
        labelled_source(source, part, label, reading, for_teaching=False) as pictures,
    ):
        recognizer, version = load_chosen_model(
            model, label_file, background_label, data_dir, device, threads
        )
        labels = recognizer.labels
        _check_classes(pictures.labels, labels, background_label, source)
        result = evaluation.Evaluation(labels, pictures.labels, background_label)
        try:
            with output.progress_bar('evaluating', pictures.total) as step:
                evaluation.evaluate(pictures.pictures, recognizer, result, step)
        finally:
            output.warn_unreadable(result.unreadable)
    summary = pictures.summary('evaluated', {output.NOT_READABLE: len(result.unreadable)})
    if not result.pictures and not result.unreadable:
        raise RequestError(
            f'the selection of {source} has no image ({summary}): select a larger part'
        )
    if not result.pictures:
        raise RecordingError(
            f'no picture in {source} could be read; the first one: {result.unreadable[0][1]}'
        )
    output.emit(_as_json(result, version) | pictures.tally.as_dict(), *_as_text(result, version))
    output.say(summary)


def _check_classes(
    truths: tuple[str, ...], labels: tuple[str, ...], background_label: str, source: Path
) -> None:
    others = [name for name in truths if name not in (*labels, UNKNOWN, background_label)]
    if others and len(others) == len(truths):
        raise RequestError(
            f'{source} shows {named(truths)}, and the classes of the model are '
            f'{named(labels)}: name the sub-folders, or --label, as the classes are named'
        )
    if others:
        output.warn(
            f'{named(others)} are no classes of the model: for these, the right '
            f'classification is {UNKNOWN!r}'
        )


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


def _as_text(result: evaluation.Evaluation, version: int) -> list[str]:
    model = f'Model version {version}' if version else 'The model'
    rows = []
    for name in result.names:
        right, count = result.right_of(name)
        if count:
            rows.append(
                (name, count, right, output.percent(right / count), _confused(result, name))
            )
    share = output.percent(result.accuracy)
    return [
        f'{model} is right on {result.right} of {result.pictures} pictures, {share}.',
        *output.table(('shown', 'pictures', 'right', 'share', 'taken for'), rows),
    ]


def _confused(result: evaluation.Evaluation, name: str) -> str:
    """Return, as text, the most frequent wrong classifications of a class, at most three."""
    confused = Counter(each.classification for each in result.mistakes if each.truth == name)
    return ', '.join(f'{label} ({count})' for label, count in confused.most_common(3))
