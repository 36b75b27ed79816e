# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Estimates how probable it is that a label of a robot is wrong.

The model is that of :mod:`edgetpu_retrain.report.analysis.mislabels`: a share e of the labels is
wrong, and the true class is any other one with equal probability.  There, few of many labels are
wrong; here, all labels of one class of a robot may be, so each class of each robot has its own e.

The labels of one class alone do not show whether they are wrong or the judge is bad at such
samples.  So the temperature of the judge's probabilities is estimated for each robot from all its
classes, and is assumed to be similar for all robots: in a dark cellar, the judge is worse at all
classes.  The portion of a robot's classes that are mostly wrong is estimated as well.
"""

from __future__ import annotations

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The temperatures and the small shares are evenly spaced on a logarithmic scale.
_TEMPERATURES = np.geomspace(0.25, 8.0, 11)
_SHARES = np.concatenate([np.geomspace(0.001, 0.3, 7), np.linspace(0.4, 0.98, 7)])
_FEW_WRONG = 7
# The portion of a robot's classes that are mostly wrong, and the prior of each portion.
_PORTIONS = np.array([0.02, 0.1, 0.5, 0.95])
_PORTIONS_PRIOR = np.array([0.7, 0.2, 0.07, 0.03])
# Standard deviations of the logarithm of the temperature: of all origins around 0, as in
# report/analysis/mislabels.py, and of one origin around the others.
_UNCERTAINTY, _BETWEEN_ORIGINS = 1.0, 0.5
# Larger differences of logits are not distinguished; exp() stays finite.
_LARGEST_LOGARITHM = 80.0


def own_shares(probabilities: FloatArray, labels: IntArray) -> Floats:
    """
    Return the probability of each label at each temperature, float64 ``[M, T]``.

    Args:
        probabilities: float32 ``[M, C]``, of a judge that has not seen these samples.
        labels: int64 ``[M]``, their labels.
    """
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    logarithms -= np.take_along_axis(logarithms, labels[:, np.newaxis], axis=1)
    shares = np.empty((len(labels), len(_TEMPERATURES)))
    for place, temperature in enumerate(_TEMPERATURES):
        relative = np.minimum(logarithms / np.float32(temperature), _LARGEST_LOGARITHM)
        shares[:, place] = 1.0 / np.exp(relative).sum(axis=1, dtype=np.float64)
    return shares


def chances_of_mistakes(
    shares: Floats, others: IntArray, origins: IntArray, groups: IntArray
) -> Floats:
    """
    Return the probability that each label is wrong, float64 ``[M]``.

    Args:
        shares: what :func:`own_shares` returns, float64 ``[M, T]``.
        others: int64 ``[M]``, how many other classes the judge of each sample knows.
        origins: int64 ``[M]``, a number for the robot that labelled the sample.
        groups: int64 ``[M]``, a number for the robot and the class: each group has its own share
            of wrong labels.
    """
    logarithms = np.log(_TEMPERATURES)
    numbers, first = np.unique(groups, return_index=True)
    likelihoods = [
        _likelihood(shares[groups == group], others[groups == group]) for group in numbers
    ]
    owners = origins[first]
    by_owner = []
    common = -0.5 * (logarithms / _UNCERTAINTY) ** 2
    for owner in np.unique(owners):
        places = np.flatnonzero(owners == owner)
        joint = np.log(_PORTIONS_PRIOR) + np.sum([_mixed(likelihoods[each]) for each in places], 0)
        by_owner.append((places, joint))
        common = common + np.logaddexp.reduce(joint, axis=1)
    typical = float(logarithms @ _normalized(common))
    prior = -0.5 * ((logarithms - typical) / _BETWEEN_ORIGINS) ** 2
    chances = np.zeros(len(shares))
    for places, joint in by_owner:
        believed = _normalized(joint + prior[:, np.newaxis])
        for place in places:
            members = groups == numbers[place]
            weights = _weights(likelihoods[place], believed)
            for column, share in enumerate(_SHARES):
                wrong = _wrong(shares[members], others[members], share)
                labelled = wrong + (1.0 - share) * shares[members]
                chances[members] += (wrong / labelled) @ weights[:, column]
    return chances


def _mixed(likelihood: Floats) -> Floats:
    """Return the log-likelihood of the labels of a class, float64 ``[T, P]``."""
    few = np.logaddexp.reduce(likelihood[:, :_FEW_WRONG], axis=1)[:, np.newaxis]
    most = np.logaddexp.reduce(likelihood[:, _FEW_WRONG:], axis=1)[:, np.newaxis]
    mixed: Floats = np.logaddexp(np.log1p(-_PORTIONS) + few, np.log(_PORTIONS) + most)
    return mixed


def _weights(likelihood: Floats, believed: Floats) -> Floats:
    """
    Return how probable each temperature and share of wrong labels is for a class of a robot.

    Args:
        likelihood: float64 ``[T, S]``, of the labels of this class.
        believed: float64 ``[T, P]``, how probable each temperature and portion is for the robot.

    Returns:
        float64 ``[T, S]``, whose sum is 1.
    """
    weights = np.zeros_like(likelihood)
    mixed = _mixed(likelihood)
    for column, portion in enumerate(_PORTIONS):
        factors = np.where(np.arange(len(_SHARES)) < _FEW_WRONG, 1.0 - portion, portion)
        # The probability of each share at each temperature; these sum to 1 over the shares.
        by_share = np.exp(likelihood - mixed[:, [column]]) * factors
        weights += believed[:, [column]] * by_share
    return weights


def _likelihood(shares: Floats, others: IntArray) -> Floats:
    """Return the log-likelihood of labels, float64 ``[T, S]``."""
    likelihood = np.empty((len(_TEMPERATURES), len(_SHARES)))
    for column, share in enumerate(_SHARES):
        labelled = _wrong(shares, others, share) + (1.0 - share) * shares
        likelihood[:, column] = np.log(labelled).sum(axis=0)
    # Equal prior probability for each of the small shares, and likewise for the large ones, of
    # which there are as many.
    likelihood -= np.log(_FEW_WRONG)
    return likelihood


def _wrong(shares: Floats, others: IntArray, share: float) -> Floats:
    """Return the probability of each label as a wrong one, float64 ``[M, T]``."""
    wrong: Floats = share * (1.0 - shares) / others[:, np.newaxis]
    # It is 0 where the judge considers no other class possible; its logarithm must be finite.
    possible: Floats = np.maximum(wrong, np.finfo(np.float64).tiny)
    return possible


def _normalized(logarithms: Floats) -> Floats:
    weights: Floats = np.exp(logarithms - logarithms.max())
    weights /= weights.sum()
    return weights
