# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Early stopping: tracks the held-out loss and keeps the best weights."""

from __future__ import annotations

import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.calibration import cross_entropies, fit_temperature
import numpy as np

# The last weights count as worse from this many standard errors on.
_STANDARD_ERRORS = 2.0


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
        """Measure the weights after this iteration."""
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
