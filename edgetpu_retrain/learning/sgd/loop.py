# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The training loop of ``fit`` and of ``SoftmaxRegression``.

Each of them provides the batches and a learning rate schedule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from edgetpu_retrain.learning.sgd.sampling import Batches
from edgetpu_retrain.learning.sgd.step import SgdStep
import numpy as np


@dataclass(frozen=True)
class Progress:
    """
    Training progress after an iteration.

    Args:
        iteration: the completed iteration, counted from 0.
        num_iter: the planned number of iterations.
        loss: the batch's loss before this iteration's step.
        train_accuracy: accuracy on training samples, 0 to 1.
        validation_accuracy: accuracy on validation samples, 0 to 1; NaN if there are none.
    """

    iteration: int
    num_iter: int
    loss: float
    train_accuracy: float
    validation_accuracy: float


@dataclass(frozen=True)
class Outcome:
    """
    How a training loop ended.

    Args:
        iterations: number of completed iterations, including those of earlier calls.
        stopped: whether the caller stopped the training.
    """

    iterations: int
    stopped: bool


def run_training_loop(
    step: SgdStep,
    batches: Batches,
    learning_rate: Callable[[int], float],
    num_iter: int,
    *,
    first: int = 0,
    measure: Callable[[], tuple[float, float]],
    report_every: int = 0,
    on_progress: Callable[[Progress], bool | None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Outcome:
    """
    Run the training steps ``first`` to ``num_iter - 1``, or fewer if the caller stops them.

    Args:
        step: the training step; its weights are the result.
        batches: yields the batch of each iteration.
        learning_rate: the schedule, a function of the iteration (0, 1, ...).
        num_iter: number of iterations, including those before ``first``.
        first: the first iteration; an earlier call has run the iterations before it.
        measure: returns training and validation accuracy; called for reports only.
        report_every: iterations between reports, the first after iteration 0; 0 = no reports.
        on_progress: receives each report; returning True stops the training.
        should_stop: called before every iteration; returning True stops the training.

    Raises:
        TrainingDiverged: if a step would make weights infinite or NaN; the step is not applied.
    """
    # SgdStep detects overflow itself and raises TrainingDiverged, so numpy need not warn.
    with np.errstate(over='ignore', invalid='ignore', under='ignore'):
        for iteration in range(first, num_iter):
            if should_stop is not None and should_stop():
                return Outcome(iteration, stopped=True)
            embeddings, labels = next(batches)
            step.forward(embeddings, labels)
            reporting = report_every > 0 and iteration % report_every == 0
            loss = step.loss() if reporting else math.nan
            step.update(embeddings, learning_rate(iteration))
            if reporting and on_progress is not None:
                stop = on_progress(Progress(iteration, num_iter, loss, *measure()))
                if stop:
                    return Outcome(iteration + 1, stopped=True)
    return Outcome(num_iter, stopped=False)
