# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The runs of the default training: momentum SGD on conditioned features."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray, row_blocks
from edgetpu_retrain.learning.default_training.calibration import cross_entropies, fit_temperature
from edgetpu_retrain.learning.default_training.imprinting import imprinted_weights
from edgetpu_retrain.learning.default_training.problem import Problem
from edgetpu_retrain.learning.default_training.recipe import cosine_rate, MOMENTUM
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.learning.sgd.loop import Outcome, run_training_loop
from edgetpu_retrain.learning.sgd.sampling import BalancedOrder, batches
from edgetpu_retrain.learning.sgd.step import SgdStep, TrainingDiverged
from edgetpu_retrain.learning.unknown import UnknownDetector
import numpy as np

# Maximum number of evaluations of the held-out samples per run, without that of the initial
# weights.
_EVALUATIONS = 4
# The last weights count as worse than the best if their loss is higher by more than this many
# standard errors.
_STANDARD_ERRORS = 2.0


@dataclass(frozen=True, eq=False)
class Run:
    """
    The result of a run.

    Args:
        weights: float32 ``[K, C]``, for the K columns of the problem's features.
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


def converted(run: Run, of: Problem, to: Problem) -> Run:
    """Convert a run's weights from the features of one problem to those of another."""
    if of.features is to.features:
        return run
    weights, bias = of.features.fold(run.weights, run.bias)
    weights, bias = to.features.unfold(Head(weights, bias), 1.0)
    return replace(run, weights=weights, bias=bias)


class HeldOutWatch:
    """
    Stores the weights with the smallest held-out loss.

    The loss is computed after temperature scaling, because overconfidence is corrected later and
    must not make weights seem worse.  Fitting the temperature takes most of the time of an
    evaluation, so a fixed one can be given instead.

    Args:
        features: the conditioned features of N held-out samples.
        labels: int64 ``[N]``, their classes.
        start: the initial weights and bias.
        temperature: the fixed temperature, or None to fit it at each evaluation.
    """

    def __init__(
        self,
        features: FloatArray,
        labels: IntArray,
        start: tuple[FloatArray, FloatArray],
        temperature: float | None = None,
    ) -> None:
        self._features = features
        self._labels = labels
        self._best_losses = np.full(len(labels), np.inf, np.float32)
        self._last_losses = self._best_losses
        self.best = (start[0].copy(), start[1].copy(), 0)
        """The best weights and bias, and the number of iterations that yielded them."""
        self.accuracy = math.nan
        self._temperature = self._fixed_temperature = temperature
        self.evaluate(0, *start)

    def evaluate(self, iteration: int, weights: FloatArray, bias: FloatArray) -> None:
        """Evaluate the weights after an iteration, and store them if they are the best so far."""
        logits = self._features @ weights + bias
        self.accuracy = float(np.mean(np.argmax(logits, axis=1) == self._labels))
        if not math.isfinite(float(logits.max()) - float(logits.min())):
            return
        if self._fixed_temperature is None:
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


def imprinted(problem: Problem, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return initial weights (from the class means of these rows, or random) and a bias of 0."""
    bias = np.zeros(problem.num_classes, np.float32)
    if scale := problem.recipe.weight_scale:
        shape = (problem.features.columns, problem.num_classes)
        return problem.rng.normal(0.0, scale, shape).astype(np.float32), bias
    labels = problem.labels[rows]
    weights = imprinted_weights(problem.features, rows, labels, problem.num_classes, problem.rng)
    return weights, bias


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
        watch: evaluates held-out samples during the run; None = no evaluation.
        held_out_accuracy: validation accuracy to report if there is no watch.

    Returns:
        The run with the last weights.  If it diverged and there is a watch, the run with the
        watch's best weights.
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


def predictions(
    problem: Problem, detector: UnknownDetector, rows: IntArray, run: Run
) -> tuple[FloatArray, FloatArray]:
    """Return a run's logits, float32 ``[M, C]``, and a detector's lengths ``[M]``, for M rows."""
    logits = np.empty((len(rows), problem.num_classes), np.float32)
    lengths = np.empty(len(rows), np.float32)
    for part in row_blocks(len(rows)):
        logits[part] = problem.features[rows[part]] @ run.weights + run.bias
        lengths[part] = detector.lengths(problem.rows.floats(rows[part]))
    return logits, lengths


def _pauses(end: int) -> list[int]:
    """Return the iterations after which held-out samples are evaluated, including the last."""
    return sorted({max(1, end * n // _EVALUATIONS) for n in range(1, _EVALUATIONS + 1)})
