# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Estimates how probable it is that a label of a robot is wrong.

A judge, a head that was trained without the samples of the robot, predicts the classes of these
samples, see suspects.py.  The model is that of
:mod:`edgetpu_retrain.report.analysis.mislabels`: a share of the labels is wrong, and the true
class is any other class with equal probability.  There, few of many labels are wrong.  Here, all
labels of one class of a robot may be wrong, so each class of each robot has a share of its own.

The labels of one class alone do not show whether they are wrong or the judge is bad at such
samples.  So the temperature of the judge's probabilities is estimated for each robot from all its
classes: in a dark cellar, the judge is worse at all classes.  The temperatures of different robots
are assumed to be similar.  The portion of a robot's classes whose labels are mostly wrong is
estimated as well.
"""

from __future__ import annotations

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Candidates for the temperature and for the share of wrong labels.  The temperatures and the small
# shares are evenly spaced on a logarithmic scale.
_TEMPERATURES = np.geomspace(0.25, 8.0, 11)
_SHARES = np.concatenate([np.geomspace(0.001, 0.3, 7), np.linspace(0.4, 0.98, 7)])
# Number of small shares; with any other share, the labels of a class count as mostly wrong.
_FEW_WRONG = 7
# Candidates for the portion of a robot's classes whose labels are mostly wrong, and the prior
# probability of each candidate.
_PORTIONS = np.array([0.02, 0.1, 0.5, 0.95])
_PORTIONS_PRIOR = np.array([0.7, 0.2, 0.07, 0.03])
# Prior standard deviations of the logarithm of a temperature.  The first is for the temperature
# that is typical of all robots: the mean is 0, as in report/analysis/mislabels.py.  The second is
# for the temperature of a single robot: the mean is the logarithm of the typical temperature.
_UNCERTAINTY, _BETWEEN_ORIGINS = 1.0, 0.5
# A larger difference of logits counts as this value, so that exp() stays finite.
_LARGEST_LOGARITHM = 80.0


def own_shares(probabilities: FloatArray, labels: IntArray) -> Floats:
    """
    Return the judge's probability of each label at each temperature, float64 ``[M, T]``.

    Args:
        probabilities: float32 ``[M, C]``, the judge's probabilities of the classes.
        labels: int64 ``[M]``, the label of each sample, as a column of ``probabilities``.
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
        others: int64 ``[M]``, number of classes, apart from the label, that the sample's judge
            knows.
        origins: int64 ``[M]``, the number of the robot that labelled the sample.
        groups: int64 ``[M]``, a number for each pair of robot and class; each group has its own
            share of wrong labels.
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
    """
    Return the log-likelihood of a class's labels by temperature and portion, float64 ``[T, P]``.

    Args:
        likelihood: float64 ``[T, S]``, what :func:`_likelihood` returns.
    """
    few = np.logaddexp.reduce(likelihood[:, :_FEW_WRONG], axis=1)[:, np.newaxis]
    most = np.logaddexp.reduce(likelihood[:, _FEW_WRONG:], axis=1)[:, np.newaxis]
    mixed: Floats = np.logaddexp(np.log1p(-_PORTIONS) + few, np.log(_PORTIONS) + most)
    return mixed


def _weights(likelihood: Floats, believed: Floats) -> Floats:
    """
    Return how probable each pair of temperature and share of wrong labels is for a robot's class.

    Args:
        likelihood: float64 ``[T, S]``, what :func:`_likelihood` returns for the class.
        believed: float64 ``[T, P]``, how probable each pair of temperature and portion is for the
            robot; the sum is 1.

    Returns:
        float64 ``[T, S]``, whose sum is 1.
    """
    weights = np.zeros_like(likelihood)
    mixed = _mixed(likelihood)
    for column, portion in enumerate(_PORTIONS):
        factors = np.where(np.arange(len(_SHARES)) < _FEW_WRONG, 1.0 - portion, portion)
        # The probability of each share at each temperature; the sum over the shares is 1.
        by_share = np.exp(likelihood - mixed[:, [column]]) * factors
        weights += believed[:, [column]] * by_share
    return weights


def _likelihood(shares: Floats, others: IntArray) -> Floats:
    """
    Return the log-likelihood of a class's labels by temperature and share, float64 ``[T, S]``.

    The prior probability of a share is included.
    """
    likelihood = np.empty((len(_TEMPERATURES), len(_SHARES)))
    for column, share in enumerate(_SHARES):
        labelled = _wrong(shares, others, share) + (1.0 - share) * shares
        likelihood[:, column] = np.log(labelled).sum(axis=0)
    # The small shares have equal prior probabilities, and so have the large ones, of which there
    # are as many.
    likelihood -= np.log(_FEW_WRONG)
    return likelihood


def _wrong(shares: Floats, others: IntArray, share: float) -> Floats:
    """Return the probability that a sample has its label by mistake, float64 ``[M, T]``."""
    wrong: Floats = share * (1.0 - shares) / others[:, np.newaxis]
    return wrong


def _normalized(logarithms: Floats) -> Floats:
    weights: Floats = np.exp(logarithms - logarithms.max())
    weights /= weights.sum()
    return weights
