# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command train: trains on all samples and stores a new model version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import dataclasses

import click
from edgetpu_retrain import retraining
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.output import emit, percent
from edgetpu_retrain.command_line.workspace import (
    counts_of,
    identity_of,
    open_models,
    open_samples,
    read_extractor,
)
from edgetpu_retrain.errors import RequestError, RetrainError
from edgetpu_retrain.learning import Progress
from edgetpu_retrain.retraining import ProgressCallback, TrainingOptions
from edgetpu_retrain.training_outcome import TrainingOutcome
from rich.console import Console
from rich.live import Live
from rich.text import Text

_DEFAULTS = TrainingOptions()


@click.command()
@click.option('--num-iter', type=int, help='SGD iterations.  [default: as many as suit]')
@click.option(
    '--learning-rate', type=float, help='Initial learning rate.  [default: derived from the data]'
)
@click.option(
    '--batch-size',
    type=int,
    default=_DEFAULTS.batch_size,
    show_default=True,
    help='Samples per iteration.',
)
@click.option(
    '--reg', type=float, help='Strength of the L2 regularization.  [default: what suits]'
)
@click.option(
    '--weight-scale',
    type=float,
    default=_DEFAULTS.weight_scale,
    show_default=True,
    help='Standard deviation of random initial weights; 0 starts from class means.',
)
@click.option(
    '--validation-fraction',
    type=float,
    default=_DEFAULTS.validation_fraction,
    show_default=True,
    help='Share of each class to hold out for evaluation.',
)
@click.option(
    '--print-every',
    type=int,
    default=_DEFAULTS.print_every,
    show_default=True,
    help='Iterations between progress reports.',
)
@click.option(
    '--seed',
    type=int,
    default=_DEFAULTS.seed,
    show_default=True,
    help='The same samples and seed give the same model on the same kind of processor.',
)
@click.option(
    '--rejection-rate',
    type=float,
    default=_DEFAULTS.rejection_rate,
    show_default=True,
    help="Share of known things that the model may call 'unknown'.",
)
@options.extractor
@options.data_dir
@options.as_json
def train(
    num_iter: int | None,
    learning_rate: float | None,
    batch_size: int,
    reg: float | None,
    weight_scale: float,
    validation_fraction: float,
    print_every: int,
    seed: int,
    rejection_rate: float,
    extractor: str,
    data_dir: str,
    as_json: bool,
) -> None:
    """
    Train on all samples, and store the model as a new version.

    A node loads it at its next start.  A running node loads it at once if its parameter
    follow_models is true, and otherwise on ~/load_model.  This command never deletes versions.
    """
    chosen = TrainingOptions(
        num_iter=num_iter,
        learning_rate=learning_rate,
        batch_size=batch_size,
        reg=reg,
        weight_scale=weight_scale,
        validation_fraction=validation_fraction,
        print_every=print_every,
        seed=seed,
        rejection_rate=rejection_rate,
    ).validated()
    identity = identity_of(extractor)
    models = open_models(data_dir)
    with open_samples(data_dir) as store:
        counts_of(store, identity)
        samples = store.training_set(extractor=identity)
    try:
        with _live_line() as report:
            outcome = retraining.retrain(
                samples, read_extractor(extractor), chosen, on_progress=report
            )
    except RequestError as error:
        # Not a usage error: the samples do not allow a training.
        raise RetrainError(str(error)) from error
    version = models.save(outcome.model, outcome.record(models.newest_version()))
    if as_json:
        emit(_as_json(outcome) | {'model_version': version.version, 'model': str(version.path)})
    else:
        click.echo(outcome.message)
        click.echo(f'Model version {version.version}: {version.path}')


def _as_json(outcome: TrainingOutcome) -> dict[str, object]:
    return {
        'labels': list(outcome.labels),
        'samples': dict(outcome.sample_counts),
        'train_accuracy': outcome.train_accuracy,
        'validation_accuracy': outcome.validation_accuracy,
        'quantized_validation_accuracy': outcome.quantized_validation_accuracy,
        'confusion_matrix': outcome.confusion_matrix.tolist(),
        'extractor': outcome.extractor,
        'options': dataclasses.asdict(outcome.options),
        'message': outcome.message,
        'seconds': outcome.seconds,
    }


@contextmanager
def _live_line() -> Iterator[ProgressCallback]:
    """Show loss and accuracies: one line that changes on a terminal, some lines in a log."""
    console = Console(stderr=True)
    if console.is_terminal:
        with Live(console=console, transient=True) as live:
            yield lambda progress: live.update(Text(_words(progress)))
        return
    tenths = -1

    def report(progress: Progress) -> None:
        nonlocal tenths
        now = 10 * (progress.iteration + 1) // progress.num_iter
        if now > tenths:
            tenths = now
            click.echo(_words(progress), err=True)

    yield report


def _words(progress: Progress) -> str:
    # Includes the heads that are trained only for evaluation.
    return (
        f'iteration {progress.iteration + 1} of {progress.num_iter} in all: '
        f'loss {progress.loss:.4f}, right of the training samples '
        f'{percent(progress.train_accuracy)}, of the held-out ones '
        f'{percent(progress.validation_accuracy)}'
    )
