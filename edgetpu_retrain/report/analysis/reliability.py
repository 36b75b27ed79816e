# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reliability diagram: accuracy by confidence."""

from __future__ import annotations

from dataclasses import dataclass
import math

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

BINS = 10


@dataclass(frozen=True, eq=False)
class Reliability:
    """
    Predictions in B confidence bins of equal width, without empty bins; all arrays are ``[B]``.

    Args:
        confidence: float64, mean confidence per bin.
        right: float64, accuracy per bin.
        counts: int64, predictions per bin.
    """

    confidence: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    counts: IntArray

    @property
    def excess(self) -> float:
        """Mean confidence minus accuracy, positive if overconfident; NaN without predictions."""
        return self._mean(self.confidence - self.right)

    @property
    def error(self) -> float:
        """The expected calibration error over these bins; NaN without predictions."""
        return self._mean(np.abs(self.confidence - self.right))

    def _mean(self, values: npt.NDArray[np.float64]) -> float:
        return float(np.average(values, weights=self.counts)) if len(self.counts) else math.nan


def reliability(probabilities: FloatArray, labels: IntArray) -> Reliability:
    """
    Bin predictions by confidence (Guo et al., 'On Calibration of Modern Neural Networks', 2017).

    Args:
        probabilities: float32 ``[M, C]`` of held-out samples.
        labels: int64 ``[M]``, the true classes.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = np.argmax(probabilities, axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    used, bins, counts = np.unique(bins, return_inverse=True, return_counts=True)
    return Reliability(
        np.bincount(bins, confidence, len(used)) / counts,
        np.bincount(bins, right, len(used)) / counts,
        counts,
    )
