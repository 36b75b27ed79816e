# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Held-out evaluation: predictions for samples that a head was not trained on.

They come from a held-out split, which also controls early stopping, or from cross-validation if
there are too few samples for a split.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray, row_blocks
from edgetpu_retrain.learning.default_training.split import stratified_folds, stratified_split
from edgetpu_retrain.learning.default_training.training_run import (
    HeldOutWatch,
    Problem,
    Run,
    train,
)
from edgetpu_retrain.learning.training_report import Method
import numpy as np

# Limits of held-out samples and of their logits (64 MiB); more samples would add little.
_MOST_HELD_OUT = 20_000
_MOST_HELD_OUT_LOGITS = 2**24
# Maximum number of held-out samples that are evaluated repeatedly during a run.
_MOST_WATCHED = 4096
_FOLDS = 5
_NO_ROWS = np.empty(0, np.int64)

Start = Callable[[IntArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Measurement:
    """
    Predictions for samples by a head that was not trained on them.

    Args:
        method: how they were obtained; see TrainingReport.
        rows: int64 ``[M]``, the samples; empty with method 'none'.
        truth: int64 ``[M]``, their classes.
        logits: float32 ``[M, C]``.
        lengths: float32 ``[M]``, root mean square of each sample's scaled features.
        share: the best iteration, as a share of the planned iterations, in (0, 1].
        iterations: number of iterations of all runs.
        run: the last run, if it was stopped or diverged; it replaces the final run.  Else None.
        best: the measured run of a held-out split, used if the final run diverges; else None.
    """

    method: Method
    rows: IntArray
    truth: IntArray
    logits: FloatArray
    lengths: FloatArray
    share: float = 1.0
    iterations: int = 0
    run: Run | None = None
    best: Run | None = None

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0 to 1; NaN with method 'none'."""
        if not len(self.rows):
            return math.nan
        return float(np.mean(np.argmax(self.logits, axis=1) == self.truth))


def _iterations(problem: Problem) -> int:
    """Return the number of iterations that measuring will take."""
    count = len(problem.labels)
    if not problem.few_samples:
        return problem.iterations(round(count * (1.0 - _held_out_share(problem))))
    folds = _fold_number(problem.labels)
    return folds * problem.iterations(count) if folds > 1 else 0


def measure(problem: Problem, start: Start, planned: int) -> Measurement:
    """
    Train on parts of the samples and predict the others.

    Args:
        problem: the samples and options.
        start: returns the initial weights and bias for the rows to train on.
        planned: iterations of the training that follows, for progress reports.
    """
    problem.progress.total = _iterations(problem) + planned
    if not problem.few_samples:
        return _by_split(problem, start)
    if _fold_number(problem.labels) > 1:
        return _by_folds(problem, start)
    no_logits = np.empty((0, problem.num_classes), np.float32)
    return Measurement('none', _NO_ROWS, _NO_ROWS, no_logits, np.empty(0, np.float32))


def _by_split(problem: Problem, start: Start) -> Measurement:
    rows, held_out = stratified_split(problem.labels, _held_out_share(problem), problem.rng)
    watched = held_out
    if len(held_out) > _MOST_WATCHED:
        watched = np.sort(problem.rng.choice(held_out, _MOST_WATCHED, replace=False))
    weights = start(rows)
    watch = HeldOutWatch(problem.features[watched], problem.labels[watched], weights)
    num_iter = _iterations(problem)
    run = train(problem, rows, weights, num_iter, watch=watch)
    share = 1.0
    chosen = problem.recipe.num_iter is None and not (run.stopped or run.diverged)
    if chosen and watch.last_is_worse() and watch.best[2]:
        run = Run(*watch.best)
        share = run.iterations / num_iter
    truth = problem.labels[held_out]
    logits, lengths = _predictions(problem, held_out, run)
    iterations = num_iter if run.diverged else run.iterations
    ended = run if run.stopped or run.diverged else None
    return Measurement(
        'held-out split', held_out, truth, logits, lengths, share, iterations, ended, run
    )


def _by_folds(problem: Problem, start: Start) -> Measurement:
    labels = problem.labels
    fold_of = stratified_folds(labels, _fold_number(labels), problem.rng)
    num_iter = problem.iterations(len(labels))
    parts: list[tuple[IntArray, FloatArray, FloatArray]] = []
    iterations, ended = 0, None
    for fold in range(int(fold_of.max()) + 1):
        rows, held_out = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        if len(held_out) == 0:
            continue
        weights = start(rows)
        watch = HeldOutWatch(problem.features[held_out], labels[held_out], weights)
        run = train(problem, rows, weights, num_iter, watch=watch)
        iterations += run.iterations
        parts.append((held_out, *_predictions(problem, held_out, run)))
        if run.stopped or run.diverged:
            ended = run
            break
    rows, logits, lengths = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Measurement(
        'cross-validation', rows, labels[rows], logits, lengths, iterations=iterations, run=ended
    )


def _predictions(problem: Problem, rows: IntArray, run: Run) -> tuple[FloatArray, FloatArray]:
    logits = np.empty((len(rows), problem.num_classes), np.float32)
    lengths = np.empty(len(rows), np.float32)
    for part in row_blocks(len(rows)):
        features = problem.features[rows[part]]
        logits[part] = features @ run.weights + run.bias
        lengths[part] = problem.features.conditioning.scaled_lengths(features)
    return logits, lengths / np.float32(math.sqrt(problem.features.feature_dim))


def _held_out_share(problem: Problem) -> float:
    most = min(_MOST_HELD_OUT, max(_MOST_HELD_OUT_LOGITS // problem.num_classes, _MOST_WATCHED))
    return min(problem.recipe.held_out_share, most / len(problem.labels))


def _fold_number(labels: IntArray) -> int:
    return int(min(_FOLDS, np.bincount(labels).max()))
