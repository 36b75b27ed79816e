# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command train: trains on all samples and stores a new model version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import dataclasses
from typing import Any

import click
from edgetpu_retrain import retraining
from edgetpu_retrain.command_line import options, workspace
from edgetpu_retrain.command_line.output import emit, percent
from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.learning import Progress
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.retraining import ProgressCallback
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome
from rich.console import Console

_HELP = {
    'num_iter': 'SGD iterations.  [default: derived from the data]',
    'learning_rate': 'Initial learning rate.  [default: derived from the data]',
    'batch_size': 'Samples per iteration.',
    'reg': 'Strength of the L2 regularization.  [default: derived from the data]',
    'weight_scale': 'Standard deviation of random initial weights; 0 starts from class means.',
    'validation_fraction': 'Share of each class to hold out for evaluation.',
    'print_every': 'Iterations between progress reports.',
    'seed': 'The same samples and seed give the same model on the same kind of processor.',
    'rejection_rate': "Share of known things that the model may classify as 'unknown'.",
}


def _training_options(command: options.Command) -> options.Command:
    """Add a command-line option for each field of :class:`TrainingOptions`."""
    for field in reversed(dataclasses.fields(TrainingOptions)):
        command = click.option(
            f'--{field.name.replace("_", "-")}',
            type=int if 'int' in str(field.type) else float,
            default=field.default,
            show_default=True,
            help=_HELP[field.name],
        )(command)
    return command


@click.command()
@_training_options
@options.extractor
@options.data_dir_and_json
def train(extractor: options.NamedModel, data_dir: str, **chosen: Any) -> None:
    """
    Train on all samples, and store the model as a new version.

    A node loads it at its next start.  A running node loads it at once if its parameter
    follow_models is true, and otherwise when its service ~/load_model is called.  This command
    never deletes versions.
    """
    training_options = TrainingOptions(**chosen).validated()
    extractor_model = workspace.read_extractor(extractor, data_dir)
    identity = describe(extractor_model).identity
    models = workspace.open_models(data_dir)
    with workspace.open_samples(data_dir) as store:
        workspace.counts_of(store, identity)
        samples = store.training_set(extractor=identity)
    try:
        with _live_progress() as report:
            outcome = retraining.retrain(
                samples, extractor_model, training_options, on_progress=report
            )
    except RequestError as error:
        # RequestError has the exit code of a usage error, but the fault is in the samples.
        raise RetrainError(str(error)) from error
    version = models.save(outcome.model, outcome.record(models.newest_version()))
    emit(
        _as_json(outcome) | {'model_version': version.version, 'model': str(version.path)},
        *outcome.message.splitlines(),
        f'It took {outcome.seconds:.1f} s.',
        f'Model version {version.version}: {version.path}',
    )


def _as_json(outcome: TrainingOutcome) -> dict[str, object]:
    return {
        'labels': list(outcome.head.labels),
        'samples': dict(outcome.sample_counts),
        'train_accuracy': outcome.report.train_accuracy,
        'validation_accuracy': outcome.report.accuracy,
        'held_out_unit': outcome.held_out_unit,
        'quantized_validation_accuracy': outcome.quantized_validation_accuracy,
        'confusion_matrix': outcome.report.confusion_matrix.tolist(),
        'extractor': outcome.extractor,
        'options': dataclasses.asdict(outcome.options),
        'message': outcome.message,
        'seconds': outcome.seconds,
    }


@contextmanager
def _live_progress() -> Iterator[ProgressCallback]:
    """Yield a callback that shows progress: one line on a terminal, otherwise about ten lines."""
    console = Console(stderr=True)
    tenths = -1

    def report(progress: Progress) -> None:
        nonlocal tenths
        status.update(_progress_line(progress))
        now = 10 * (progress.iteration + 1) // progress.num_iter
        if now > tenths and not console.is_terminal:
            tenths = now
            click.echo(_progress_line(progress), err=True)

    with console.status('training') as status:
        yield report


def _progress_line(progress: Progress) -> str:
    # The total can exceed --num-iter: it includes the iterations of heads that are trained only
    # for evaluation.
    return (
        f'iteration {progress.iteration + 1} of {progress.num_iter}: loss {progress.loss:.4f}, '
        f'training accuracy {percent(progress.train_accuracy)}, held-out accuracy '
        f'{percent(progress.validation_accuracy)}'
    )
