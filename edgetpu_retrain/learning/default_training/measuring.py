# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Held-out evaluation: predictions for samples that a head was not trained on.

The predictions come from a held-out split, which also controls early stopping.  If there are too
few samples or too few recordings for a split, the predictions come from cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.other_views import Views, ViewsToPredict
from edgetpu_retrain.learning.default_training.problem import Problem
from edgetpu_retrain.learning.default_training.training_run import (
    converted,
    HeldOutWatch,
    imprinted,
    predictions,
    Run,
    train,
)
from edgetpu_retrain.learning.default_training.unknown_fitting import open_detector
from edgetpu_retrain.learning.held_out import Folds, HeldOutUnit, hold_out, recording_counts
from edgetpu_retrain.learning.training_report import Method
from edgetpu_retrain.learning.unknown import UnknownDetector
import numpy as np

# Maximum number of held-out samples, and of their logits (64 MiB) with up to 4096 classes.  More
# samples would hardly change the results.
_MOST_HELD_OUT = 20_000
_MOST_HELD_OUT_LOGITS = 2**24
# Maximum number of held-out samples that are evaluated repeatedly during a run.
_MOST_WATCHED = 4096
# Maximum number of folds if there are too few samples for a split.
_FOLDS = 5
# Maximum number of folds if there are enough samples for a split, but too few recordings.
_FOLDS_OF_MANY = 3
# Minimum iterations of a measuring run in a warm start, unless a run from scratch has fewer.
_WARM_MEASURING = 300
_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Measurement:
    """
    Predictions for held-out samples, by heads that were not trained on them.

    Args:
        method: how the predictions were obtained; see TrainingReport.
        units: the held-out unit of each class; None for a class with one sample.
        rows: int64 ``[M]``, the held-out samples; empty with method 'none'.
        truth: int64 ``[M]``, their classes.
        logits: float32 ``[M, C]``.
        lengths: float32 ``[M]``; see UnknownDetector.lengths.
        parts: int64 ``[M]``, the fold of each sample if there are fewer than five folds, else 0.
        evaluated_recordings: see Folds.
        share: the best iteration as a share of the planned iterations, in (0, 1]; the mean over
            the folds.
        runs: number of iterations of each run.
        run: the last run if it was stopped or diverged, else None.  It replaces the final run.
        best: the run whose weights are used if the final run diverges; None if there are few
            samples, or with method 'none'.
        detector: the detector that computed the lengths, if the final run can use it; else None.
        views: predictions for a held-out part of each recording (see other_views.py); None unless
            a class has two to four recordings.
    """

    method: Method
    units: tuple[HeldOutUnit | None, ...]
    rows: IntArray
    truth: IntArray
    logits: FloatArray
    lengths: FloatArray
    parts: IntArray
    evaluated_recordings: tuple[int, ...]
    share: float = 1.0
    runs: tuple[int, ...] = ()
    run: Run | None = None
    best: Run | None = None
    detector: UnknownDetector | None = None
    views: Views | None = None

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0 to 1; NaN with method 'none'."""
        if not len(self.rows):
            return math.nan
        return float(np.mean(np.argmax(self.logits, axis=1) == self.truth))


def measure(problem: Problem, planned: int) -> Measurement:
    """
    Train on parts of the samples and predict the others.

    Args:
        problem: the samples and options.
        planned: iterations of the final training, which progress reports include in the total.
    """
    folds = _folds(problem)
    parts = _parts(problem, folds)
    lengths = [_iterations(problem, len(rows)) for rows, _ in parts]
    to_predict = _views_to_predict(problem)
    if to_predict is not None:
        lengths.append(_iterations(problem, len(to_predict.trained)))
    problem.progress.total = sum(lengths) + planned
    found = [(_NO_ROWS, np.empty((0, problem.num_classes), np.float32), np.empty(0, np.float32))]
    shares: list[float] = []
    ended = False
    # Conditioning the features for each fold makes a training take a third longer.  This is
    # omitted if there are many samples and no whole recordings are held out, because the held-out
    # samples then hardly influence the features.
    anew = problem.few_samples or 'recordings' in folds.units
    shared = open_detector(problem, parts[0][0]) if len(parts) == 1 and not anew else None
    for (rows, evaluated), num_iter in zip(parts, lengths, strict=False):
        known = problem.conditioned_by(rows) if anew else problem
        run, share = _train_on(known, rows, evaluated, num_iter)
        detector = shared or open_detector(known, rows)
        found.append((evaluated, *predictions(known, detector, evaluated, run)))
        shares.append(share)
        if run.stopped or run.diverged:
            ended, lengths = True, [*lengths[: len(shares) - 1], run.iterations]
            break
    every, logits, scaled = (np.concatenate(column) for column in zip(*found, strict=True))
    method: Method = 'none'
    if parts:
        method = 'held-out split' if len(parts) == 1 else 'cross-validation'
    share = float(np.mean(shares)) if shares else 1.0
    last = converted(run, known, problem) if shares else None
    views = None
    if to_predict is not None and not ended:
        last, views = to_predict.predicted(problem, lengths[-1], share)
        ended, lengths = last.stopped or last.diverged, [*lengths[:-1], last.iterations]
    return Measurement(
        method,
        folds.units,
        every,
        problem.labels[every],
        logits,
        scaled,
        folds.fold_of[every] if folds.count < _FOLDS else np.zeros_like(every),
        folds.evaluated_recordings,
        share,
        tuple(lengths),
        last if ended else None,
        last if not problem.few_samples else None,
        shared,
        views,
    )


def _parts(problem: Problem, folds: Folds) -> list[tuple[IntArray, IntArray]]:
    """Return the rows to train on and to evaluate, for each fold that has rows to evaluate."""
    parts, most = [], _most_held_out(problem) // max(folds.count, 1)
    for fold in range(folds.count):
        evaluated = folds.evaluated_in(fold)
        if len(evaluated) > most:
            evaluated = np.sort(problem.rng.choice(evaluated, most, replace=False))
        if len(evaluated):
            parts.append((folds.trained_in(fold), evaluated))
    return parts


def _views_to_predict(problem: Problem) -> ViewsToPredict | None:
    """Choose a part of each recording to hold out; None unless a class has 2 to 4 recordings."""
    if problem.recordings is None or not len(_few_recordings(problem)):
        return None
    chosen = ViewsToPredict.of(problem, problem.recordings, _share(problem))
    return chosen if len(chosen.rows) else None


def _few_recordings(problem: Problem) -> IntArray:
    """Return the number of recordings of each class that has two to four recordings."""
    counts = recording_counts(problem.labels, problem.recordings)
    return counts[(counts > 1) & (counts < _FOLDS)]


def _share(problem: Problem) -> float:
    """Return the share of each class to hold out: as requested, or less with very many samples."""
    return min(problem.recipe.held_out_share, _most_held_out(problem) / len(problem.labels))


def _folds(problem: Problem) -> Folds:
    """
    Choose the samples to hold out.

    With too few samples for a split, there are up to five folds.  Otherwise one fold suffices,
    unless a class has two to four recordings: then a single recording says little about the
    others, and there are two or three folds.
    """
    labels, few = problem.labels, _few_recordings(problem)
    if problem.few_samples:
        folds = min(_FOLDS, int(np.bincount(labels).max()))
    else:
        folds = min(_FOLDS_OF_MANY, int(few.max())) if len(few) else 1
    recordings, share = problem.recordings, _share(problem)
    return hold_out(problem.rows, labels, recordings, problem.rng, folds=folds, share=share)


def _iterations(problem: Problem, rows: int) -> int:
    """
    Return the number of iterations of a measuring run on this many rows.

    In a warm start, measured heads do not start from the earlier head, because it may have been
    trained on the held-out samples.  So they need at least 300 iterations or, if that is fewer, as
    many as without a warm start.
    """
    count = len(problem.labels) if problem.few_samples else rows
    cold = replace(problem, warm=False).iterations(count)
    return max(problem.iterations(count), min(cold, _WARM_MEASURING))


def _train_on(
    problem: Problem, rows: IntArray, held_out: IntArray, num_iter: int
) -> tuple[Run, float]:
    """Train on some rows; return the run, and its best iteration as a share of ``num_iter``."""
    watched = held_out
    if len(held_out) > _MOST_WATCHED:
        watched = np.sort(problem.rng.choice(held_out, _MOST_WATCHED, replace=False))
    start = imprinted(problem, rows)
    # Whether the best weights may replace the last ones.  If not, the best weights are used only
    # after divergence, for which a fixed temperature suffices.
    chosen = problem.recipe.num_iter is None and not problem.few_samples
    temperature = None if chosen else problem.recipe.temperature_prior[0]
    watch = HeldOutWatch(problem.features[watched], problem.labels[watched], start, temperature)
    run = train(problem, rows, start, num_iter, watch=watch)
    if run.stopped or run.diverged:
        return run, 1.0
    if chosen and watch.last_is_worse() and watch.best[2]:
        run = Run(*watch.best)
    return run, run.iterations / num_iter


def _most_held_out(problem: Problem) -> int:
    return min(_MOST_HELD_OUT, max(_MOST_HELD_OUT_LOGITS // problem.num_classes, _MOST_WATCHED))
