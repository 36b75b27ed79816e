# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The SGD step of ``fit`` and of ``SoftmaxRegression``."""

from __future__ import annotations

import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
import numpy as np

# A weight of this size stays below the largest float32, 3.4e38, after any change that _is_finite
# accepts (below 2e19).
_LARGEST_WEIGHT = 1e38
# Limit of the learning rate.  It keeps the change of the bias finite, because the gradient of the
# bias is at most 1.
_LARGEST_RATE = 1e19
# If a product of [M, K] and [K, N] has M * N * K of at most this number, OpenBLAS multiplies
# without packing, and the speed does not depend on which factor is transposed.  See OpenBLAS's
# interface/gemm.c and kernel/x86_64/sgemm_small_kernel_permit_skylakex.c.
_SMALL_PRODUCT = 1_000_000


class TrainingDiverged(ValueError):  # noqa: N818
    """Logits are, or weights would become, infinite or NaN; the training step was not applied."""


class SgdStep:
    """
    A gradient descent step on a head, in place.

    The loss is the batch's mean cross-entropy plus ``0.5 * reg * sum(weights ** 2)``.  If p is the
    softmax of the logits and y the one-hot labels, the loss's gradient with respect to the logits
    is ``(p - y) / batch_size``, which stays finite if a probability underflows (Stanford CS231n,
    'Softmax classifier').  The bias is not regularized.

    Call :meth:`forward`, optionally :meth:`loss`, and :meth:`update`, in this order.
    Intermediate arrays are ``[C, B]``: numpy reduces along the first axis many times faster than
    along a short second one.

    Args:
        weights: float32 ``[D, C]``, modified by each update; steps are fastest in Fortran order,
            in which each class's weights are contiguous, as in a .tflite file.
        bias: float32 ``[C]``, modified by each update.
        batch_size: B, the number of samples in every batch.
        reg: strength of the regularization, 0 or more.
        momentum: Polyak's momentum, 0 to below 1; 0 is plain gradient descent, without the time
            and memory that momentum needs.

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
        self._weights = weights
        self._bias = bias
        # Whether weights.T @ embeddings.T is faster than (embeddings @ weights).T.
        self._direct = weights.flags.f_contiguous and (
            classes >= batch_size or classes * dim * batch_size <= _SMALL_PRODUCT
        )
        self._columns = np.arange(batch_size)
        self._ones_per_class = np.ones(classes, np.float32)
        self._ones_per_row = np.ones(batch_size, np.float32)
        self._weights_change = np.empty((classes, dim), np.float32)
        self._weights_velocity = np.zeros((classes, dim) if momentum else (0, 0), np.float32)
        self._bias_velocity = np.zeros(classes if momentum else 0, np.float32)

    def forward(self, embeddings: FloatArray, labels: IntArray) -> None:
        """
        Compute the logits of a batch and the intermediate results for loss and update.

        Args:
            embeddings: float32 ``[B, D]``.
            labels: int64 ``[B]``, each in 0..C-1; the caller must have validated them.
        """
        if self._direct:
            product = self._weights.T.dot(embeddings.T)
        else:
            product = embeddings.dot(self._weights).T
        self._logits = np.add(product, self._bias[:, np.newaxis], order='C')
        # Subtracting the largest logit keeps exp from overflowing and the sum at 1 or more.
        self._peaks = np.maximum.reduce(self._logits)
        # ``update`` turns these into the gradient with respect to the logits.
        self._errors = np.exp(self._logits - self._peaks)
        self._sums = self._ones_per_class.dot(self._errors)
        self._labels = labels

    def loss(self) -> float:
        """Return the loss of the batch passed to :meth:`forward`; call before :meth:`update`."""
        # Subtract the logits first: the logarithm would lose digits if added to a large logit.
        surprise = self._peaks - self._logits[self._labels, self._columns]
        surprise += np.log(self._sums)
        loss = float(self._ones_per_row.dot(surprise)) / self.batch_size
        if self._reg:
            flat = self._weights.ravel('K')
            loss += 0.5 * self._reg * float(flat.dot(flat))
        return loss

    def logit_range(self) -> tuple[float, float]:
        """
        Return the smallest and largest logit of the batch passed to :meth:`forward`.

        Raises:
            TrainingDiverged: if the logits are not finite.
        """
        lowest, highest = float(self._logits.min()), float(self._peaks.max())
        if not math.isfinite(highest - lowest):
            raise TrainingDiverged(
                f'the logits of this batch reach from {lowest:g} to {highest:g}; they must be '
                f'finite: check that embeddings and weights are finite and not huge'
            )
        return lowest, highest

    def update(self, embeddings: FloatArray, learning_rate: float) -> None:
        """
        Update weights and bias by one step.

        Args:
            embeddings: the batch passed to :meth:`forward`.
            learning_rate: 0 or more.

        Raises:
            TrainingDiverged: if the step would make weights infinite or NaN; weights and bias are
                unchanged.
        """
        errors, change = self._errors, self._weights_change
        # Applying the learning rate to the small matrix saves a pass over the large one.
        rate = np.float32(learning_rate / self.batch_size)
        errors *= rate / self._sums
        errors[self._labels, self._columns] -= rate
        bias_change = errors.dot(self._ones_per_row)
        errors.dot(embeddings, out=change)
        weights = self._weights.T
        if self._momentum:
            bias_change = self._accelerate(bias_change, learning_rate)
            change = self._weights_velocity
            decay = 1.0
        else:
            decay = 1.0 - learning_rate * self._reg
        self._check_finite(learning_rate, decay, _is_finite(change))
        if decay != 1.0:
            np.multiply(weights, np.float32(decay), out=weights)
        np.subtract(weights, change, out=weights)
        np.subtract(self._bias, bias_change, out=self._bias)

    def _accelerate(self, bias_change: FloatArray, learning_rate: float) -> FloatArray:
        """Update both velocities with this step's changes, and return the velocity of the bias."""
        self._weights_velocity *= self._momentum
        self._weights_velocity += self._weights_change
        if self._reg:
            # The velocity includes the regularization's gradient.  Without momentum, update()
            # applies the regularization as a decay of the weights instead.
            pull = self._weights_change
            np.multiply(self._weights.T, np.float32(learning_rate * self._reg), out=pull)
            self._weights_velocity += pull
        self._bias_velocity *= self._momentum
        self._bias_velocity += bias_change
        return self._bias_velocity

    def _check_finite(self, learning_rate: float, decay: float, changes_are_finite: bool) -> None:
        if changes_are_finite and learning_rate < _LARGEST_RATE:
            if decay >= -1.0:
                return
            # A decay below -1 makes the weights grow.
            if -decay * float(np.abs(self._weights).max()) < _LARGEST_WEIGHT:
                return
        raise TrainingDiverged(
            f'a step with learning_rate {learning_rate:g} (reg {self._reg:g}) would make the '
            f'weights infinite and was not taken; choose a smaller learning_rate, or check that '
            f'embeddings and weights are finite and not huge'
        )


def _is_finite(array: FloatArray) -> bool:
    # A sum of squares takes one fast pass, and is finite only if all numbers are below 2e19.
    # Subtracting numbers below 2e19 from finite weights cannot overflow.
    flat = array.reshape(-1)
    return math.isfinite(flat.dot(flat))
