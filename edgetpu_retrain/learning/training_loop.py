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
The one training step and the one loop around it.

Every recipe uses both and brings a sampler, which decides what a batch is, and a schedule, which
decides how far a step goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Protocol

from edgetpu_retrain.learning.head import FloatArray, IntArray
import numpy as np

# Far enough from the largest float32, 3.4e38, that no change of up to 2e19 reaches it.
_LARGEST_WEIGHT = 1e38


class TrainingDiverged(ValueError):  # noqa: N818
    """A step that was not taken, because it would have made weights infinite or NaN."""


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


class SgdStep:
    """
    One step of gradient descent on a head, in place and without allocating arrays.

    The loss is the batch's mean cross-entropy plus ``0.5 * reg * sum(weights ** 2)``.  With the
    softmax of the logits p and one-hot labels y, its gradient with respect to the logits is
    ``(p - y) / batch_size``, which stays finite where a probability underflows (Stanford CS231n,
    'Softmax classifier').  The bias is not regularized.

    Call :meth:`forward`, :meth:`loss` where it is wanted, and :meth:`update`, in this order.
    Between products everything lies as ``[C, B]``: numpy reduces along the first axis many times
    faster than along a short second one.

    Args:
        weights: float32 ``[D, C]``, changed by each update.
        bias: float32 ``[C]``, changed by each update.
        batch_size: B, the same for every step.
        reg: strength of the regularization, 0 or more.
        momentum: share of the previous step that each step repeats (Polyak's heavy ball), 0 to
            below 1; 0 is plain gradient descent and takes no time or memory.

    >>> weights, bias = np.zeros((2, 2), np.float32), np.zeros(2, np.float32)
    >>> step = SgdStep(weights, bias, batch_size=2)
    >>> embeddings, labels = np.eye(2, dtype=np.float32), np.array([0, 1])
    >>> for _ in range(3):
    ...     step.forward(embeddings, labels)
    ...     print(f'loss: {step.loss():.4f}')
    ...     step.update(embeddings, learning_rate=1.0)
    loss: 0.6931
    loss: 0.4741
    loss: 0.3477
    """

    def __init__(
        self,
        weights: FloatArray,
        bias: FloatArray,
        batch_size: int,
        reg: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        dim, classes = weights.shape
        self.batch_size = batch_size
        self._reg = reg
        self._momentum = np.float32(momentum)
        # No views are kept: a copied or pickled step would part from what they look into.
        self._weights = weights
        self._bias = bias
        self._product = np.empty((batch_size, classes), np.float32)
        self._logits = np.empty((classes, batch_size), np.float32)
        self._peaks = np.empty(batch_size, np.float32)
        self._sums = np.empty(batch_size, np.float32)
        self._scales = np.empty(batch_size, np.float32)
        # First exp(logits), then the gradient with respect to the logits.
        self._errors = np.empty((classes, batch_size), np.float32)
        # Where each class's row begins in a flat [C, B], and where each sample's true class is.
        self._row_starts = np.arange(classes) * batch_size
        self._columns = np.arange(batch_size)
        self._true = np.empty(batch_size, np.int64)
        self._ones_per_class = np.ones(classes, np.float32)
        self._ones_per_row = np.ones(batch_size, np.float32)
        self._weights_change = np.empty((dim, classes), np.float32)
        self._bias_change = np.empty(classes, np.float32)
        self._weights_velocity = np.zeros((dim, classes) if momentum else (0, 0), np.float32)
        self._bias_velocity = np.zeros(classes if momentum else 0, np.float32)
        # One number, repeated: for arrays this small broadcasting costs more than computing.
        self._rates = np.empty(batch_size, np.float32)

    def is_of(self, weights: FloatArray, bias: FloatArray) -> bool:
        """Tell whether these very arrays are the ones that this step changes."""
        return self._weights is weights and self._bias is bias

    def forward(self, embeddings: FloatArray, labels: IntArray) -> None:
        """
        Compute the logits of a batch and what loss and update need of them.

        Args:
            embeddings: float32 ``[B, D]``.
            labels: int64 ``[B]``, each in 0..C-1; anything else is the caller's to refuse.
        """
        logits, errors, peaks = self._logits, self._errors, self._peaks
        embeddings.dot(self._weights, out=self._product)
        np.add(self._product.T, self._bias[:, np.newaxis], out=logits)
        # Shifted by the largest logit, exp cannot overflow and the sum is at least 1.
        np.maximum.reduce(logits, 0, None, peaks)
        np.subtract(logits, peaks, out=errors)
        np.exp(errors, out=errors)
        self._ones_per_class.dot(errors, out=self._sums)
        # 'clip' writes straight into the buffer; 'raise' would fill a copy first.
        self._row_starts.take(labels, None, self._true, 'clip')
        np.add(self._true, self._columns, out=self._true)

    def loss(self) -> float:
        """Return the loss of the batch given to :meth:`forward`, with the weights as they are."""
        # The difference first: beside a large logit the logarithm would lose its digits.
        surprise = self._peaks - self._logits.take(self._true)
        surprise += np.log(self._sums)
        loss = float(self._ones_per_row.dot(surprise)) / self.batch_size
        if self._reg:
            flat = self._weights.reshape(-1)
            loss += 0.5 * self._reg * float(flat.dot(flat))
        return loss

    def logit_range(self) -> tuple[float, float]:
        """
        Return the smallest and largest logit of the batch given to :meth:`forward`.

        Raises:
            TrainingDiverged: when they are not finite.
        """
        lowest = float(np.minimum.reduce(self._logits, axis=None))
        highest = float(np.maximum.reduce(self._peaks))
        if not math.isfinite(highest - lowest):
            raise TrainingDiverged(
                f'the logits of this batch reach from {lowest:g} to {highest:g}; they must be '
                f'finite: check that embeddings and weights are finite and not huge'
            )
        return lowest, highest

    def update(self, embeddings: FloatArray, learning_rate: float) -> None:
        """
        Take the step.

        Args:
            embeddings: the batch given to :meth:`forward`.
            learning_rate: how far to go, 0 or more.

        Raises:
            TrainingDiverged: when the step would not be finite; nothing is changed then.
        """
        errors, rates, scales = self._errors, self._rates, self._scales
        # The learning rate goes into the small matrix, which saves a pass over the large one.
        rates.fill(learning_rate / self.batch_size)
        np.divide(rates, self._sums, out=scales)
        np.multiply(errors, scales, out=errors)
        flat_errors = errors.reshape(-1)
        flat_errors[self._true] -= rates
        errors.dot(self._ones_per_row, out=self._bias_change)
        embeddings.T.dot(errors.T, out=self._weights_change)
        if self._momentum:
            self._update_with_momentum(learning_rate)
            return
        decay = 1.0 - learning_rate * self._reg
        self._check_finite(learning_rate, decay, self._weights_change, self._bias_change)
        if decay != 1.0:
            np.multiply(self._weights, np.float32(decay), out=self._weights)
        np.subtract(self._weights, self._weights_change, out=self._weights)
        np.subtract(self._bias, self._bias_change, out=self._bias)

    def _update_with_momentum(self, learning_rate: float) -> None:
        velocity, bias_velocity = self._weights_velocity, self._bias_velocity
        np.multiply(velocity, self._momentum, out=velocity)
        np.add(velocity, self._weights_change, out=velocity)
        if self._reg:
            # Unlike the decay of plain steps, the pull of the regularization has inertia too.
            pull = self._weights_change
            np.multiply(self._weights, np.float32(learning_rate * self._reg), out=pull)
            np.add(velocity, pull, out=velocity)
        np.multiply(bias_velocity, self._momentum, out=bias_velocity)
        np.add(bias_velocity, self._bias_change, out=bias_velocity)
        self._check_finite(learning_rate, 1.0, velocity, bias_velocity)
        np.subtract(self._weights, velocity, out=self._weights)
        np.subtract(self._bias, bias_velocity, out=self._bias)

    def _check_finite(
        self,
        learning_rate: float,
        decay: float,
        weights_change: FloatArray,
        bias_change: FloatArray,
    ) -> None:
        # A sum of squares is one quick pass, and finite only if every change is below 2e19:
        # finite weights minus such a change are finite.
        change = weights_change.reshape(-1)
        if math.isfinite(change.dot(change)) and math.isfinite(bias_change.dot(bias_change)):
            if decay >= -1.0:
                return
            # Outside -1..1 the regularization itself makes weights grow.
            if -decay * float(np.abs(self._weights).max()) < _LARGEST_WEIGHT:
                return
        raise TrainingDiverged(
            f'a step with learning_rate {learning_rate:g} (reg {self._reg:g}) would make the '
            f'weights infinite and was not taken; choose a smaller learning_rate, or check that '
            f'embeddings and weights are finite and not huge'
        )


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
