# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The hardest samples: the worst mistakes and the least confident predictions."""

from __future__ import annotations

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.held_out import HeldOut
import numpy as np

MOST = 20
"""Number of samples shown of each kind."""


def worst_mistakes(held_out: HeldOut, most: int = MOST) -> IntArray:
    """
    Return the mistakes with the lowest probability of the true class, the worst first.

    Args:
        held_out: the held-out predictions.
        most: maximum number to return.

    Returns:
        int64, positions among the evaluated samples.
    """
    wrong = np.flatnonzero(~held_out.right)
    truth = held_out.probabilities[wrong, held_out.labels[wrong]]
    return wrong[np.argsort(truth, kind='stable')][:most]


def least_sure(held_out: HeldOut, most: int = MOST) -> IntArray:
    """
    Return the predictions, right or wrong, with the lowest confidence.

    Args:
        held_out: the held-out predictions.
        most: maximum number to return.

    Returns:
        int64, positions among the evaluated samples, the least confident first.
    """
    return np.argsort(held_out.probabilities.max(axis=1), kind='stable')[:most].astype(np.int64)
