# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The runs of the default training: momentum SGD on conditioned features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.calibration import cross_entropies, fit_temperature
from edgetpu_retrain.learning.default_training.conditioning import FeatureRows
from edgetpu_retrain.learning.default_training.recipe import cosine_rate, MOMENTUM, Recipe
from edgetpu_retrain.learning.sgd.loop import Outcome, Progress, run_training_loop
from edgetpu_retrain.learning.sgd.sampling import BalancedOrder, batches
from edgetpu_retrain.learning.sgd.step import SgdStep, TrainingDiverged
import numpy as np

# Number of evaluations of the held-out samples per run.
_EVALUATIONS = 4
# Fewer held-out samples than this do not suffice for early stopping and calibration.
_FEWEST_HELD_OUT = 50
# The last weights count as worse than the best if their loss is higher by more than this many
# standard errors.
_STANDARD_ERRORS = 2.0

Callback = Callable[[int, float, float, float], 'bool | None']


@dataclass
class ProgressRelay:
    """
    Forwards the reports of all runs, with iterations counted across runs.

    Args:
        callback: called with iteration, loss, training and validation accuracy.
        on_progress: called with a Progress, which also has the total number of iterations.
        should_stop: called before every iteration.
        report_every: iterations between reports; 0 = none.
        done: iterations of earlier runs.
        total: the current estimate of the number of iterations of all runs.
    """

    callback: Callback | None
    on_progress: Callable[[Progress], bool | None] | None
    should_stop: Callable[[], bool] | None
    report_every: int
    done: int = 0
    total: int = 0

    def report(self, progress: Progress) -> bool:
        """Forward a run's report, and return whether to stop."""
        whole = replace(
            progress, iteration=self.done + progress.iteration, num_iter=max(self.total, 1)
        )
        stop = False
        if self.callback is not None:
            accuracies = (whole.train_accuracy, whole.validation_accuracy)
            stop = bool(self.callback(whole.iteration, whole.loss, *accuracies))
        if self.on_progress is not None:
            stop = bool(self.on_progress(whole)) or stop
        return stop


@dataclass(frozen=True, eq=False)
class Problem:
    """
    The samples and options that all runs share.

    Args:
        features: conditioned features of all samples.
        labels: int64 ``[N]``, their classes.
        num_classes: C.
        eigenvalue: the largest eigenvalue of the features' covariance.
        sample: int64 ``[S]``, rows on which training accuracy is measured.
        recipe: the hyperparameters.
        progress: receives progress reports, and can stop a run.
        warm: whether the final training starts from an earlier head.
        rng: random generator of all runs.
    """

    features: FeatureRows
    labels: IntArray
    num_classes: int
    eigenvalue: float
    sample: IntArray
    recipe: Recipe
    progress: ProgressRelay
    warm: bool
    rng: np.random.Generator

    @property
    def few_samples(self) -> bool:
        """Whether there are too few samples for a held-out split."""
        return len(self.labels) * self.recipe.held_out_share < _FEWEST_HELD_OUT

    def iterations(self, count: int) -> int:
        """Return the number of iterations of a training on count samples."""
        few, warm = self.few_samples, self.warm
        return self.recipe.iterations(count, self.num_classes, few=few, warm=warm)


@dataclass(frozen=True, eq=False)
class Run:
    """
    The result of a run.

    Args:
        weights: float32 ``[D, C]``.
        bias: float32 ``[C]``.
        iterations: number of steps that yielded these weights.
        stopped: whether the caller stopped the run.
        diverged: whether the run ended because a step would have made weights infinite or NaN.
    """

    weights: FloatArray
    bias: FloatArray
    iterations: int
    stopped: bool = False
    diverged: bool = False


class HeldOutWatch:
    """
    Keeps the weights with the smallest held-out loss.

    The loss is computed after temperature scaling: overconfidence is corrected later and must not
    count against a head.

    Args:
        features: float32 ``[N, D]`` of held-out samples.
        labels: int64 ``[N]``, their classes.
        start: the initial weights and bias.
    """

    def __init__(
        self, features: FloatArray, labels: IntArray, start: tuple[FloatArray, FloatArray]
    ) -> None:
        self._features = features
        self._labels = labels
        self._best_losses = np.full(len(labels), np.inf, np.float32)
        self._last_losses = self._best_losses
        self.best = (start[0].copy(), start[1].copy(), 0)
        """The best weights and bias, and their iteration."""
        self.accuracy = math.nan
        self._temperature: float | None = None
        self.evaluate(0, *start)

    def evaluate(self, iteration: int, weights: FloatArray, bias: FloatArray) -> None:
        """Evaluate the weights after an iteration, and copy them if they are the best so far."""
        logits = self._features @ weights + bias
        self.accuracy = float(np.mean(np.argmax(logits, axis=1) == self._labels))
        if not math.isfinite(float(logits.max()) - float(logits.min())):
            return
        self._temperature = fit_temperature(logits, self._labels, start=self._temperature)
        losses = cross_entropies(logits / np.float32(self._temperature), self._labels)
        self._last_losses = losses
        if losses.mean() < self._best_losses.mean():
            self._best_losses = losses
            self.best = (weights.copy(), bias.copy(), iteration)

    def last_is_worse(self) -> bool:
        """Return whether the last weights are significantly worse than the best."""
        worse = self._last_losses - self._best_losses
        error = float(worse.std()) / math.sqrt(len(worse))
        return float(worse.mean()) > _STANDARD_ERRORS * error


def train(
    problem: Problem,
    rows: IntArray,
    start: tuple[FloatArray, FloatArray],
    num_iter: int,
    *,
    until: int | None = None,
    watch: HeldOutWatch | None = None,
    held_out_accuracy: float = math.nan,
) -> Run:
    """
    Train on a subset of the samples.

    Args:
        problem: the samples and options.
        rows: int64 ``[M]``, the samples to train on.
        start: initial weights and bias; modified in place.
        num_iter: number of iterations in which the learning rate decays to 0.
        until: number of iterations to run, by default num_iter.
        watch: evaluates held-out samples during the run.
        held_out_accuracy: validation accuracy to report without a watch.

    Returns:
        The run with the last weights; if it diverged, with the best weights of the watch, if any.
    """
    weights, bias = start
    recipe, labels, progress = problem.recipe, problem.labels, problem.progress
    reg = recipe.regularization(np.bincount(labels[rows]), problem.features.feature_dim)
    first_rate = recipe.first_rate(problem.eigenvalue, problem.features.feature_dim, reg)
    batch_size = min(recipe.batch_size, len(rows))
    groups = labels[rows] if recipe.balanced else np.zeros(len(rows), np.int64)
    order = BalancedOrder(rows, groups, problem.rng)
    step = SgdStep(weights, bias, batch_size, reg, MOMENTUM)
    drawn = batches(problem.features, labels, batch_size, order.following)

    def measure() -> tuple[float, float]:
        logits = problem.features[problem.sample] @ weights + bias
        right = np.argmax(logits, axis=1) == labels[problem.sample]
        return float(right.mean()), held_out_accuracy if watch is None else watch.accuracy

    end = num_iter if until is None else until
    outcome, diverged = Outcome(0, stopped=False), False
    try:
        for pause in _pauses(end) if watch else [end]:
            outcome = run_training_loop(
                step,
                drawn,
                lambda iteration: cosine_rate(first_rate, num_iter, iteration),
                pause,
                first=outcome.iterations,
                measure=measure,
                report_every=progress.report_every,
                on_progress=progress.report,
                should_stop=progress.should_stop,
            )
            if watch is not None:
                watch.evaluate(outcome.iterations, weights, bias)
            if outcome.stopped:
                break
    except TrainingDiverged:
        diverged = True
    progress.done += outcome.iterations
    if diverged and watch is not None:
        return Run(*watch.best, diverged=True)
    return Run(weights, bias, outcome.iterations, outcome.stopped, diverged)


def _pauses(end: int) -> list[int]:
    """Return the iterations after which held-out samples are evaluated, including the last."""
    return sorted({max(1, end * n // _EVALUATIONS) for n in range(1, _EVALUATIONS + 1)})
