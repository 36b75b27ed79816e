# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Fits the unknown detector of a head: its directions, and its threshold on held-out samples."""

from __future__ import annotations

import math

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.problem import Problem
from edgetpu_retrain.learning.default_training.subspace import leading_directions
from edgetpu_retrain.learning.sgd.sampling import BalancedOrder
from edgetpu_retrain.learning.unknown import UnknownDetector
import numpy as np
import numpy.typing as npt

# Maximum number of directions, minimum number of dimensions per direction, and maximum number of
# rows from which the directions are computed.
_DIRECTIONS = 32
_DIMENSIONS_A_DIRECTION = 16
_ROWS = 512

# The detector's full_share, as a multiple of the share that an embedding with independent features
# would have.  With EfficientNet-Lite0, images of unknown objects have 1.2 to 2.0 times that share,
# known samples 1.7 to 5 times, and known objects on another day 1.5 to 4 times.
_FAMILIAR = 2.0

# Expected 5th percentile of the evidence (the negative unknown score) on another day, relative to
# the median evidence of held-out samples.  Measured ratios are 0.3 to 0.6 (photographs of shops,
# and an office seen by other cameras).
_ANOTHER_DAY = 0.52
# The ratio above for held-out samples that are near copies of training samples.  Near copies have
# far more evidence than other views.  Measured ratios are 0.3 in the same place, and 0.1 in
# another place.
_OTHER_VIEWS = 0.21
# The 5th percentile, as a fraction.
_WEAK = 0.05
# Factor for evidence that is one standard deviation less than expected on another day.  The
# standard deviation of the logarithm of the measured ratios is 0.25, and exp(-0.25) is 0.78.
_LOWEST = 0.78


def open_detector(problem: Problem, rows: IntArray) -> UnknownDetector:
    """
    Return a detector with an infinite threshold, for a head that is trained on the given samples.

    Args:
        problem: the samples and options.
        rows: int64 ``[M]``, the samples that the head is trained on.
    """
    labels, conditioning = problem.labels[rows], problem.features.conditioning
    sample = BalancedOrder(rows, labels, problem.rng).following(min(_ROWS, len(rows)))
    features = (problem.rows.floats(sample) - conditioning.center) * conditioning.gain
    squares = np.einsum('nd,nd->n', features, features)
    features /= np.sqrt(np.maximum(squares, np.float32(1e-12)))[:, np.newaxis]
    number = min(_DIRECTIONS, len(rows) // 2, features.shape[1] // _DIMENSIONS_A_DIRECTION)
    if not number:
        return UnknownDetector(conditioning.center, conditioning.gain)
    directions = np.ascontiguousarray(leading_directions(features, number)[0][:, :number])
    along = np.einsum('dr,dr->d', directions, directions)
    independent = float(np.einsum('nd,nd,d->', features, features, along)) / len(features)
    share = min(_FAMILIAR * math.sqrt(independent), 1.0)
    return UnknownDetector(
        conditioning.center, conditioning.gain, directions=directions, full_share=share
    )


def threshold_for(
    scores: FloatArray,
    rejection_rate: float,
    parts: IntArray | None = None,
    copies: npt.NDArray[np.bool_] | None = None,
) -> float:
    """
    Return a threshold that classifies about the given share of known samples as unknown, or less.

    Evidence is the negative unknown score.  Samples of the same day are more alike than samples of
    different days.  So if the 5th percentile of the held-out samples' evidence is close to their
    median, the threshold is raised, because known objects are expected to have less evidence on
    another day.

    A separate threshold is computed for near copies.  The result is the mean of both thresholds,
    weighted by the numbers of samples.

    Args:
        scores: float32 ``[N]``, unknown scores of known samples that the head was not trained on,
            N at least 1.
        rejection_rate: the requested share, 0 to below 1.
        parts: int64 ``[N]``, the fold of each sample; the highest threshold of all folds is used,
            except for near copies, whose folds do not matter.  None = one fold.
        copies: bool ``[N]``, which samples are near copies of training samples; None = none.
    """
    if copies is None:
        copies = np.zeros(len(scores), bool)
    if parts is None:
        parts = np.zeros(len(scores), np.int64)
    share = float(copies.mean())
    threshold = 0.0
    if share > 0.0:
        threshold += share * _threshold(scores[copies], rejection_rate, _OTHER_VIEWS)
    if share < 1.0:
        views, parts = scores[~copies], parts[~copies]
        threshold += (1.0 - share) * max(
            _threshold(views[parts == part], rejection_rate, _ANOTHER_DAY)
            for part in np.unique(parts)
        )
    return threshold


def bounded(threshold: float, expected: float) -> float:
    """
    Limit a threshold to a range given by held-out parts of recordings.

    With few recordings, heads that are trained without one of them yield far less evidence than
    the final head.  A threshold from these heads would be so high that hardly anything is
    classified as unknown.

    Args:
        threshold: the threshold from held-out recordings.
        expected: the threshold from held-out parts of recordings.

    Returns:
        The threshold, limited to the range from ``expected`` to ``0.78 * expected``; ``expected``
        if that is not negative.

    >>> [round(bounded(threshold, -2.0), 2) for threshold in (-3.0, -1.8, -0.5)]
    [-2.0, -1.8, -1.56]
    """
    return max(expected, min(threshold, _LOWEST * expected)) if expected < 0.0 else expected


def _threshold(scores: FloatArray, rejection_rate: float, weak: float) -> float:
    """
    Return the threshold that rejects the given share of these samples, or a higher one.

    Evidence is the negative score.  If the 5th percentile of the samples' evidence is more than
    ``weak`` times the median, the threshold is raised, because only ``weak`` times the median is
    expected on another day.

    Args:
        scores: float32 ``[N]``, N at least 1.
        rejection_rate: the requested share, 0 to below 1.
        weak: expected 5th percentile on another day, relative to the median, 0 to 1.
    """
    wanted, usual = _next_higher(scores, rejection_rate), _next_higher(scores, _WEAK)
    typical = float(np.median(scores))
    # A ratio of evidence is meaningful only if all evidence is positive.
    if max(wanted, usual, typical) >= 0.0:
        return wanted
    return wanted * min(weak * typical / usual, 1.0)


def _next_higher(scores: FloatArray, rate: float) -> float:
    # Equals np.quantile(scores, 1 - rate, method='higher'), but numpy 1.21 does not have the
    # argument ``method``.
    rank = math.ceil((1.0 - rate) * (len(scores) - 1))
    return float(np.partition(scores, rank)[rank])
