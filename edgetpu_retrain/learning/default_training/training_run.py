# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One run of the default training: momentum SGD on conditioned features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.conditioning import FeatureRows
from edgetpu_retrain.learning.default_training.held_out_watch import HeldOutWatch
from edgetpu_retrain.learning.default_training.progress_relay import ProgressRelay
from edgetpu_retrain.learning.default_training.recipe import CosineSchedule, MOMENTUM, Recipe
from edgetpu_retrain.learning.sgd.balanced_sampling import BalancedOrder, BalancedSampler
from edgetpu_retrain.learning.sgd.loop import (
    run_training_loop,
)
from edgetpu_retrain.learning.sgd.step import SgdStep, TrainingDiverged
import numpy as np

# How often per run the held-out samples are evaluated.
_LOOKS = 4


@dataclass(frozen=True, eq=False)
class Problem:
    """
    The samples and options that all runs share.

    Args:
        features: conditioned features of all samples.
        labels: int64 ``[N]``, their classes.
        num_classes: C.
        eigenvalue: the largest eigenvalue of the features' covariance.
        sample: int64, rows on which training accuracy is measured.
        recipe: the hyperparameters.
        progress: receives progress reports and requests stops.
    """

    features: FeatureRows
    labels: IntArray
    num_classes: int
    eigenvalue: float
    sample: IntArray
    recipe: Recipe
    progress: ProgressRelay


@dataclass(frozen=True, eq=False)
class Run:
    """
    The result of a run.

    Args:
        weights: float32 ``[D, C]``.
        bias: float32 ``[C]``.
        iterations: steps that led to them.
        stopped: whether the caller requested a stop.
        diverged: whether a step would have been infinite.
    """

    weights: FloatArray
    bias: FloatArray
    iterations: int
    stopped: bool = False
    diverged: bool = False


def train(
    problem: Problem,
    rows: IntArray,
    start: tuple[FloatArray, FloatArray],
    num_iter: int,
    rng: np.random.Generator,
    *,
    until: int | None = None,
    watch: HeldOutWatch | None = None,
    held_out_accuracy: float = float('nan'),
) -> Run:
    """
    Train on a subset of the samples.

    Args:
        problem: the samples and options.
        rows: int64 ``[M]``, the samples to train on.
        start: initial weights and bias; modified in place.
        num_iter: iterations in which the learning rate decays to 0.
        rng: random generator.
        until: the iteration at which to end, by default num_iter.
        watch: evaluates held-out samples during the run; a run that diverges then returns the
            best weights.
        held_out_accuracy: validation accuracy to report without a watch.

    Returns:
        The last weights, or the best ones if the run diverged.
    """
    weights, bias = start
    step, sampler, schedule = _tools(problem, rows, start, num_iter, rng)
    end = num_iter if until is None else until
    progress = problem.progress
    done, stopped = 0, False
    try:
        for pause in _pauses(end) if watch else [end]:
            outcome = run_training_loop(
                step,
                sampler,
                schedule,
                pause,
                first=done,
                measure=_measure(problem, start, watch, held_out_accuracy),
                report_every=progress.report_every,
                on_progress=progress.report,
                should_stop=progress.should_stop,
            )
            done, stopped = outcome.iterations, outcome.stopped
            if watch is not None:
                watch.look(done, weights, bias)
            if stopped:
                break
    except TrainingDiverged:
        progress.done += done
        if watch is None:
            return Run(weights, bias, done, diverged=True)
        return Run(*watch.best(), diverged=True)
    progress.done += done
    return Run(weights, bias, done, stopped)


def _tools(
    problem: Problem,
    rows: IntArray,
    start: tuple[FloatArray, FloatArray],
    num_iter: int,
    rng: np.random.Generator,
) -> tuple[SgdStep, BalancedSampler, CosineSchedule]:
    recipe, labels = problem.recipe, problem.labels
    reg = recipe.regularization(np.bincount(labels[rows]), problem.features.feature_dim)
    batch_size = min(recipe.batch_size, len(rows))
    groups = labels[rows] if recipe.balanced else np.zeros(len(rows), np.int64)
    order = BalancedOrder(rows, groups, rng)
    return (
        SgdStep(*start, batch_size, reg, MOMENTUM),
        BalancedSampler(problem.features, labels, order, batch_size),
        CosineSchedule(recipe.first_rate(problem.eigenvalue, reg), num_iter),
    )


def _pauses(end: int) -> list[int]:
    """Return the iterations after which held-out samples are evaluated, including the last."""
    return sorted({max(1, end * number // _LOOKS) for number in range(1, _LOOKS + 1)})


def _measure(
    problem: Problem,
    start: tuple[FloatArray, FloatArray],
    watch: HeldOutWatch | None,
    held_out_accuracy: float,
) -> Callable[[], tuple[float, float]]:
    def measure() -> tuple[float, float]:
        weights, bias = start
        logits = problem.features.some(problem.sample) @ weights + bias
        right = np.argmax(logits, axis=1) == problem.labels[problem.sample]
        accuracy = held_out_accuracy if watch is None else watch.accuracy
        return float(right.mean()), accuracy

    return measure
