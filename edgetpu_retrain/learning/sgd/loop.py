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
"""
The one loop around the training step.

Every recipe brings a sampler, which decides what a batch is, and a schedule, which decides how far
a step goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Protocol

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.sgd.step import SgdStep
import numpy as np


@dataclass(frozen=True)
class Progress:
    """
    How training stands after an iteration.

    Args:
        iteration: the iteration just done, counted from 0.
        num_iter: how many were asked for.
        loss: the batch's loss before this iteration's step.
        train_accuracy: share of training samples that are right now, 0 to 1.
        validation_accuracy: the same of the validation samples.
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
        iterations: how many were done, those before the first one of this call included.
        stopped: whether somebody asked to stop.
    """

    iterations: int
    stopped: bool


class Sampler(Protocol):
    """What hands out batches of one size."""

    def draw(self) -> tuple[FloatArray, IntArray]:
        """Return embeddings, float32 ``[B, D]``, and labels, int64 ``[B]``; both may be reused."""


def run_training_loop(
    step: SgdStep,
    sampler: Sampler,
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
    Take num_iter steps, or fewer when somebody asks to stop.

    Args:
        step: takes each step; its weights are the result.
        sampler: hands out the batch of each iteration.
        learning_rate: the schedule, from the iteration (0, 1, ...) to the rate of its step.
        num_iter: how many iterations to do, those before first included.
        first: the iteration to begin with; step and sampler went through those before it in
            an earlier call.
        measure: returns training and validation accuracy; called for reports only.
        report_every: report after iterations 0, n, 2n, ...; 0 for never.
        on_progress: gets each report; returning True stops the training.
        should_stop: asked before every iteration; returning True stops the training.

    Raises:
        TrainingDiverged: when a step would not be finite; weights are those of the last one.
    """
    if on_progress is None:
        report_every = 0
    # Overflow is found by the step itself, and reported better than by a warning.
    with np.errstate(over='ignore', invalid='ignore', under='ignore'):
        for iteration in range(first, num_iter):
            if should_stop is not None and should_stop():
                return Outcome(iteration, stopped=True)
            embeddings, labels = sampler.draw()
            step.forward(embeddings, labels)
            reporting = report_every > 0 and iteration % report_every == 0
            loss = step.loss() if reporting else math.nan
            step.update(embeddings, learning_rate(iteration))
            if reporting and on_progress is not None:
                progress = Progress(iteration, num_iter, loss, *measure())
                if on_progress(progress):
                    return Outcome(iteration + 1, stopped=True)
    return Outcome(num_iter, stopped=False)
