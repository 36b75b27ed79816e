# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
How probable it is that labels of one origin are wrong.

The model is that of :mod:`edgetpu_retrain.report.analysis.mislabels`: a share e of an origin's
labels is wrong, and all other classes are equally likely.  There, a few of many labels may be
wrong; here, all labels of an origin may be.  From its labels alone, that cannot be told from a
judge that knows nothing about its samples.  So the temperature of the judge's probabilities is
estimated from all origins, and that of each origin is probably similar: a robot in a dark cellar
is judged worse than others, but not so much worse that nothing is left of what the judge knows.
"""

from __future__ import annotations

from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The logarithms of the temperatures are evenly spaced, and those of the small shares.
_TEMPERATURES = np.geomspace(0.25, 8.0, 11)
_SHARES = np.concatenate([np.geomspace(0.001, 0.3, 7), np.linspace(0.4, 0.98, 7)])
# Deviations of the logarithm of the temperature: of all origins from 1, as in
# report/analysis/mislabels.py, and of one origin from the others.
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


def chances_of_mistakes(shares: Floats, others: IntArray, origins: IntArray) -> Floats:
    """
    Return the probability that each label is wrong, float64 ``[M]``.

    Args:
        shares: what :func:`own_shares` returns, float64 ``[M, T]``.
        others: int64 ``[M]``, how many other classes the judge of each sample knows.
        origins: int64 ``[M]``, who labelled it.
    """
    logarithms = np.log(_TEMPERATURES)
    common = -0.5 * (logarithms / _UNCERTAINTY) ** 2
    numbers = np.unique(origins)
    likelihoods = []
    for origin in numbers:
        members = origins == origin
        likelihood = np.empty((len(_TEMPERATURES), len(_SHARES)))
        for place, share in enumerate(_SHARES):
            likelihood[:, place] = np.log(
                _wrong(shares[members], others[members], share) + (1.0 - share) * shares[members]
            ).sum(axis=0)
        likelihoods.append(likelihood)
        common = common + np.logaddexp.reduce(likelihood, axis=1)
    typical = float(logarithms @ _normalized(common))
    chances = np.zeros(len(shares))
    for origin, likelihood in zip(numbers, likelihoods, strict=True):
        prior = -0.5 * ((logarithms - typical) / _BETWEEN_ORIGINS) ** 2
        weights = _normalized(likelihood + prior[:, np.newaxis])
        members = origins == origin
        for place, share in enumerate(_SHARES):
            wrong = _wrong(shares[members], others[members], share)
            labelled = wrong + (1.0 - share) * shares[members]
            chances[members] += (wrong / labelled) @ weights[:, place]
    return chances


def _wrong(shares: Floats, others: IntArray, share: float) -> Floats:
    """Return the probability that each label was given by mistake, float64 ``[M, T]``."""
    wrong: Floats = share * (1.0 - shares) / others[:, np.newaxis]
    # The label may be the only one that the judge considers possible.
    possible: Floats = np.maximum(wrong, np.finfo(np.float64).tiny)
    return possible


def _normalized(logarithms: Floats) -> Floats:
    weights: Floats = np.exp(logarithms - logarithms.max())
    weights /= weights.sum()
    return weights
