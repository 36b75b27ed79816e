# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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

# How often the held-out samples are looked at.
_LOOKS = 4


@dataclass(frozen=True, eq=False)
class Problem:
    """
    What is to be learned, ready for any number of runs.

    Args:
        features: conditioned features of all samples.
        labels: int64 ``[N]``, their classes.
        num_classes: C.
        eigenvalue: the largest one of the features' covariance.
        sample: int64, a few rows to measure training accuracy on.
        recipe: how to train.
        progress: whom to tell, and whether to stop.
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
    What came of a run.

    Args:
        weights: float32 ``[D, C]``.
        bias: float32 ``[C]``.
        iterations: steps that led to them.
        stopped: whether somebody asked to stop.
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
    Train on some rows of a problem.

    Args:
        problem: what is to be learned.
        rows: int64 ``[M]``, the samples to train on.
        start: weights and bias to start from; changed.
        num_iter: iterations in which the step size falls to 0.
        rng: the source of chance.
        until: the iteration to end with, num_iter when not given.
        watch: measures held-out samples along the way; with it, a run that diverges returns
            the best weights it saw.
        held_out_accuracy: what to report as validation accuracy without a watch.

    Returns:
        The last weights; of a diverged run the best seen.
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
    """Return the iterations after which to look at held-out samples, the last one included."""
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
