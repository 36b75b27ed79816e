# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Detects samples whose label is probably wrong.

Confident learning (C. G. Northcutt, L. Jiang and I. L. Chuang, 'Confident Learning: Estimating
Uncertainty in Dataset Labels', Journal of Artificial Intelligence Research 70, 2021, section 3):
a sample counts as class j if its held-out probability of j reaches t_j, the mean held-out
probability of j over the samples labelled j.  A sample that counts as another class than its
label is off the diagonal of the 'confident joint': it is as typical of the other class as that
class's own samples.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Mislabels:
    """
    Samples with suspicious labels, the most suspicious first.

    Args:
        positions: int64 ``[K]``, their positions among the evaluated samples.
        looks_like: int64 ``[K]``, the class that each sample counts as.
    """

    positions: IntArray
    looks_like: IntArray

    def __len__(self) -> int:
        return len(self.positions)


def suspected_mislabels(probabilities: FloatArray, labels: IntArray) -> Mislabels:
    """
    Find the samples off the diagonal of the confident joint.

    Args:
        probabilities: float32 ``[M, C]``, held-out probabilities.
        labels: int64 ``[M]``, the samples' labels.

    Returns:
        Suspicious samples, ordered by the paper's normalized margin: the probability of the label
        minus that of the class that the sample counts as.

    >>> probabilities = np.array([[.9, .1], [.8, .2], [.1, .9], [.2, .8], [.05, .95]], np.float32)
    >>> suspected_mislabels(probabilities, np.array([0, 0, 1, 1, 0])).positions
    array([4])
    """
    thresholds = _thresholds(probabilities, labels)
    counted = np.where(probabilities >= thresholds, probabilities, -np.inf)
    looks_like = np.argmax(counted, axis=1).astype(np.int64) if len(labels) else labels
    rows = np.arange(len(labels))
    margin = probabilities[rows, labels] - probabilities[rows, looks_like]
    # If the label is more probable, its probability only missed a high threshold.
    suspect = np.isfinite(counted[rows, looks_like]) & (margin < 0.0)
    positions = np.flatnonzero(suspect)
    positions = positions[np.argsort(margin[positions], kind='stable')]
    return Mislabels(positions, looks_like[positions])


def _thresholds(probabilities: FloatArray, labels: IntArray) -> npt.NDArray[np.float64]:
    classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=classes)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    sums = np.bincount(labels, weights=own, minlength=classes)
    # A class without evaluated samples has an infinite threshold: no sample counts as this class.
    return np.divide(sums, counts, out=np.full(classes, np.inf), where=counts > 0)
