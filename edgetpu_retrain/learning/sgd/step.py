# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The SGD step, shared by all recipes."""

from __future__ import annotations

import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
import numpy as np

# Far enough below the largest float32, 3.4e38, that changes up to 2e19 cannot overflow.
_LARGEST_WEIGHT = 1e38
_LARGEST_CHANGE = 1e19
# Up to here OpenBLAS multiplies without packing, equally fast whichever factor is transposed:
# M * N * K in its interface/gemm.c and kernel/x86_64/sgemm_small_kernel_permit_skylakex.c.
_SMALL_PRODUCT = 1_000_000


class TrainingDiverged(ValueError):  # noqa: N818
    """Raised instead of a step that would make weights infinite or NaN."""


class SgdStep:
    """
    A gradient descent step on a head, in place and without allocating arrays.

    The loss is the batch's mean cross-entropy plus ``0.5 * reg * sum(weights ** 2)``.  With the
    softmax of the logits p and one-hot labels y, its gradient with respect to the logits is
    ``(p - y) / batch_size``, which stays finite where a probability underflows (Stanford CS231n,
    'Softmax classifier').  The bias is not regularized.

    Call :meth:`forward`, optionally :meth:`loss`, and :meth:`update`, in this order.
    Intermediate arrays are ``[C, B]``: numpy reduces along the first axis many times faster than
    along a short second one.

    Args:
        weights: float32 ``[D, C]``, modified by each update; steps are fastest in Fortran order,
            in which each class's weights are contiguous, as in a .tflite file.
        bias: float32 ``[C]``, modified by each update.
        batch_size: B, the same for every step.
        reg: strength of the regularization, 0 or more.
        momentum: Polyak's momentum, 0 to below 1; 0 is plain gradient descent and costs no time
            or memory.

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
        # Keep no views: after copying or pickling they would refer to other arrays.
        self._weights = weights
        self._bias = bias
        # With few classes, multiplying and then transposing the product is faster.
        self._direct = weights.flags.f_contiguous and (
            classes >= batch_size or classes * dim * batch_size <= _SMALL_PRODUCT
        )
        self._product = np.empty((0 if self._direct else batch_size, classes), np.float32)
        self._logits = np.empty((classes, batch_size), np.float32)
        self._peaks = np.empty(batch_size, np.float32)
        self._sums = np.empty(batch_size, np.float32)
        self._scales = np.empty(batch_size, np.float32)
        # First exp(logits), then the gradient with respect to the logits.
        self._errors = np.empty((classes, batch_size), np.float32)
        # Flat indices into [C, B]: the start of each class's row, and each sample's true class.
        self._row_starts = np.arange(classes) * batch_size
        self._columns = np.arange(batch_size)
        self._true = np.empty(batch_size, np.int64)
        self._true_errors = np.empty(batch_size, np.float32)
        self._ones_per_class = np.ones(classes, np.float32)
        self._ones_per_row = np.ones(batch_size, np.float32)
        self._weights_change = np.empty((classes, dim), np.float32)
        self._bias_change = np.empty(classes, np.float32)
        self._weights_velocity = np.zeros((classes, dim) if momentum else (0, 0), np.float32)
        self._bias_velocity = np.zeros(classes if momentum else 0, np.float32)
        # Filled with a single number: for such small arrays broadcasting is slower.
        self._rates = np.empty(batch_size, np.float32)

    def is_of(self, weights: FloatArray, bias: FloatArray) -> bool:
        """Return whether this step modifies exactly these arrays."""
        return self._weights is weights and self._bias is bias

    def forward(self, embeddings: FloatArray, labels: IntArray) -> None:
        """
        Compute the logits of a batch and the intermediate results for loss and update.

        Args:
            embeddings: float32 ``[B, D]``.
            labels: int64 ``[B]``, each in 0..C-1; the caller must have validated them.
        """
        logits, errors, peaks = self._logits, self._errors, self._peaks
        if self._direct:
            product = self._weights.T.dot(embeddings.T, out=logits)
        else:
            product = embeddings.dot(self._weights, out=self._product).T
        np.add(product, self._bias[:, np.newaxis], out=logits)
        # Subtracting the largest logit keeps exp from overflowing and the sum at 1 or more.
        np.maximum.reduce(logits, 0, None, peaks)
        np.subtract(logits, peaks, out=errors)
        np.exp(errors, out=errors)
        self._ones_per_class.dot(errors, out=self._sums)
        # 'clip' writes directly into the buffer; 'raise' would fill a copy first.
        self._row_starts.take(labels, None, self._true, 'clip')
        np.add(self._true, self._columns, out=self._true)

    def loss(self) -> float:
        """Return the loss of the batch given to :meth:`forward`, with the weights as they are."""
        # Subtract first: added to a large logit the logarithm would lose its digits.
        surprise = self._peaks - self._logits.take(self._true)
        surprise += np.log(self._sums)
        loss = float(self._ones_per_row.dot(surprise)) / self.batch_size
        if self._reg:
            flat = self._weights.ravel('K')
            loss += 0.5 * self._reg * float(flat.dot(flat))
        return loss

    def logit_range(self) -> tuple[float, float]:
        """
        Return the smallest and largest logit of the batch given to :meth:`forward`.

        Raises:
            TrainingDiverged: if they are not finite.
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
        Apply the step.

        Args:
            embeddings: the batch given to :meth:`forward`.
            learning_rate: 0 or more.

        Raises:
            TrainingDiverged: if the step would not be finite; nothing is modified then.
        """
        errors, rates, scales, true = self._errors, self._rates, self._scales, self._true
        # Apply the learning rate to the small matrix, which saves a pass over the large one.
        rates.fill(learning_rate / self.batch_size)
        np.divide(rates, self._sums, out=scales)
        np.multiply(errors, scales, out=errors)
        flat_errors, true_errors = errors.reshape(-1), self._true_errors
        # Three calls, because -= on an indexed array makes two copies and takes twice as long.
        flat_errors.take(true, None, true_errors, 'clip')
        np.subtract(true_errors, rates, out=true_errors)
        flat_errors[true] = true_errors
        errors.dot(self._ones_per_row, out=self._bias_change)
        errors.dot(embeddings, out=self._weights_change)
        if self._momentum:
            self._update_with_momentum(learning_rate)
            return
        decay = 1.0 - learning_rate * self._reg
        self._check_finite(
            learning_rate, decay, self._changes_are_finite(embeddings, learning_rate)
        )
        weights = self._weights.T
        if decay != 1.0:
            np.multiply(weights, np.float32(decay), out=weights)
        np.subtract(weights, self._weights_change, out=weights)
        np.subtract(self._bias, self._bias_change, out=self._bias)

    def _update_with_momentum(self, learning_rate: float) -> None:
        weights = self._weights.T
        velocity, bias_velocity = self._weights_velocity, self._bias_velocity
        np.multiply(velocity, self._momentum, out=velocity)
        np.add(velocity, self._weights_change, out=velocity)
        if self._reg:
            # Unlike in plain SGD, momentum also applies to the regularization's gradient.
            pull = self._weights_change
            np.multiply(weights, np.float32(learning_rate * self._reg), out=pull)
            np.add(velocity, pull, out=velocity)
        np.multiply(bias_velocity, self._momentum, out=bias_velocity)
        np.add(bias_velocity, self._bias_change, out=bias_velocity)
        self._check_finite(learning_rate, 1.0, _is_finite(velocity))
        np.subtract(weights, velocity, out=weights)
        np.subtract(self._bias, bias_velocity, out=self._bias)

    def _changes_are_finite(self, embeddings: FloatArray, learning_rate: float) -> bool:
        if embeddings.size < self._weights_change.size:
            # No error is above 1, so the rate times the batch's norm bounds every change, unless
            # an error is NaN, which shows in the bias's change: two checks of small arrays
            # instead of one of the largest.
            batch = embeddings.reshape(-1)
            squared_norm = float(batch.dot(batch))
            bounded = learning_rate * math.sqrt(squared_norm) < _LARGEST_CHANGE
            if bounded and _is_finite(self._bias_change):
                return True
        return _is_finite(self._weights_change)

    def _check_finite(self, learning_rate: float, decay: float, changes_are_finite: bool) -> None:
        if changes_are_finite and learning_rate < _LARGEST_CHANGE:
            if decay >= -1.0:
                return
            # Outside -1..1 the decay itself makes weights grow.
            if -decay * float(np.abs(self._weights).max()) < _LARGEST_WEIGHT:
                return
        raise TrainingDiverged(
            f'a step with learning_rate {learning_rate:g} (reg {self._reg:g}) would make the '
            f'weights infinite and was not taken; choose a smaller learning_rate, or check that '
            f'embeddings and weights are finite and not huge'
        )


def _is_finite(array: FloatArray) -> bool:
    # A sum of squares takes one fast pass and is finite only if all numbers are below 2e19;
    # subtracting such changes from finite weights cannot overflow.
    flat = array.reshape(-1)
    return math.isfinite(flat.dot(flat))
