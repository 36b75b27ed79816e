# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reliability diagram: accuracy over confidence."""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.learning import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.calibration import expected_calibration_error
import numpy as np
import numpy.typing as npt

BINS = 10


@dataclass(frozen=True, eq=False)
class Reliability:
    """
    Predictions in bins of equal width by confidence, without empty bins; arrays are ``[B]``.

    Args:
        confidence: float64, mean confidence per bin.
        right: float64, accuracy per bin.
        counts: int64, predictions per bin.
        error: the expected calibration error over these bins, NaN without predictions.
    """

    confidence: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    counts: IntArray
    error: float

    @property
    def excess(self) -> float:
        """Mean confidence minus accuracy: above 0 = overconfident."""
        if not len(self.counts):
            return float('nan')
        return float(np.average(self.confidence - self.right, weights=self.counts))


def reliability(probabilities: FloatArray, labels: IntArray) -> Reliability:
    """
    Bin predictions by confidence (Guo et al., 'On Calibration of Modern Neural Networks', 2017).

    Args:
        probabilities: float32 ``[M, C]`` of held-out samples.
        labels: int64 ``[M]``.
    """
    if not len(labels):
        nothing = np.empty(0, np.float64)
        return Reliability(nothing, nothing, np.empty(0, np.int64), float('nan'))
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = np.argmax(probabilities, axis=1) == labels
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    used = counts > 0
    return Reliability(
        np.bincount(place, weights=confidence, minlength=BINS)[used] / counts[used],
        np.bincount(place, weights=right, minlength=BINS)[used] / counts[used],
        counts[used].astype(np.int64),
        expected_calibration_error(probabilities, labels, BINS),
    )
