# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Detects samples whose label may be wrong, and computes the probability that it is wrong.

It uses a model of random mistakes (D. Angluin and P. Laird, 'Learning From Noisy Examples',
Machine Learning 2, 1988).  A share e of all labels is wrong, and each wrong class is equally
likely.  If a head predicts class c with probability p_c, the sample is labelled c with probability
(1 - e) p_c + e (1 - p_c) / (C - 1).  The share of the second term in this sum is the probability
that the label is wrong.

The share e is not known.  Nor is the quality of the head's probabilities, because the head was
trained with the wrong labels, too.  Therefore the result is averaged over values of e and of a
temperature (C. Guo et al., 'On Calibration of Modern Neural Networks', ICML 2017), weighted by how
probable they make the labels.  So the many mistakes of a poor head do not make labels suspicious.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

# The temperatures and shares of wrong labels to average over; their logarithms are evenly spaced.
_TEMPERATURES = np.geomspace(0.25, 8.0, 11)
_SHARES = np.geomspace(0.001, 0.4, 12)
# The prior of the temperature is log-normal with median 1.  This is the standard deviation of the
# temperature's natural logarithm.
_UNCERTAINTY = 1.0

# Labels that are wrong with at least this probability are suspicious.  If 10 % of the labels are
# wrong, about 9 of 10 suspicious labels are wrong; if none is wrong, on average fewer than one
# label in a thousand is suspicious (docs/benchmarks.md).
_SUSPICIOUS = 0.3


@dataclass(frozen=True, eq=False)
class Mislabels:
    """
    Samples with suspicious labels, the most suspicious first.

    Args:
        positions: int64 ``[K]``, their positions among the evaluated samples.
        looks_like: int64 ``[K]``, the most probable other class of each sample.
        chances: float64 ``[K]``, the probability that each label is wrong, 0.3 to 1.
    """

    positions: IntArray
    looks_like: IntArray
    chances: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def expected(self) -> float:
        """The expected number of wrong labels among the suspicious ones."""
        return float(self.chances.sum())


def suspected_mislabels(probabilities: FloatArray, labels: IntArray) -> Mislabels:
    """
    Find the samples whose label is wrong with a probability of at least 0.3.

    Args:
        probabilities: float32 ``[M, C]``, held-out probabilities, C at least 2.
        labels: int64 ``[M]``, the samples' labels.

    >>> probabilities = np.repeat(np.array([[.95, .05], [.05, .95]], np.float32), 10, axis=0)
    >>> labels = np.repeat([0, 1], 10)
    >>> labels[3] = 1
    >>> found = suspected_mislabels(probabilities, labels)
    >>> found.positions, found.looks_like
    (array([3]), array([0]))
    """
    chances = chances_of_mistakes(probabilities, labels)
    positions = np.flatnonzero(chances >= _SUSPICIOUS)
    positions = positions[np.argsort(-chances[positions], kind='stable')]
    others = probabilities[positions].copy()
    others[np.arange(len(positions)), labels[positions]] = -1.0
    return Mislabels(positions, np.argmax(others, axis=1), chances[positions])


def chances_of_mistakes(probabilities: FloatArray, labels: IntArray) -> npt.NDArray[np.float64]:
    """
    Return the probability that each label is wrong, float64 ``[M]``.

    Args:
        probabilities: float32 ``[M, C]``, held-out probabilities, C at least 2.
        labels: int64 ``[M]``, the samples' labels.
    """
    others = probabilities.shape[1] - 1
    # Logarithms of the probabilities, relative to that of the sample's label.
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    logarithms -= np.take_along_axis(logarithms, labels[:, np.newaxis], axis=1)
    total, best, chances = 0.0, -np.inf, np.zeros(len(labels))
    for temperature in _TEMPERATURES:
        with np.errstate(over='ignore'):
            own = 1.0 / np.exp(logarithms / np.float32(temperature)).sum(axis=1, dtype=np.float64)
        for share in _SHARES:
            wrong = share / others * (1.0 - own)
            labelled = wrong + (1.0 - share) * own
            weight = -0.5 * (np.log(temperature) / _UNCERTAINTY) ** 2 + np.log(labelled).sum()
            # Keep the weights relative to the best one so far, to avoid underflow.
            if weight > best:
                total, chances = (each * np.exp(best - weight) for each in (total, chances))
                best = weight
            total += np.exp(weight - best)
            chances += np.exp(weight - best) * wrong / labelled
    return chances / total
