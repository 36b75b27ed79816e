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

# Number of directions, and of rows from which they are estimated.
_DIRECTIONS = 32
_ROWS = 512

# The share along the directions from which on an embedding is familiar, relative to that of an
# embedding with the same but independent features.  On EfficientNet-Lite0, pictures of what was
# never taught have 1.2 to 2.0 times as much, and known samples 1.7 to 5, on another day 1.5 to 4.
_FAMILIAR = 2.0

# The 5th percentile of the evidence (the negative unknown score) on another day, relative to the
# median of held-out samples: 0.3 to 0.6 for photographs of shops and an office by other cameras.
_ANOTHER_DAY = 0.52
# The same for held-out samples that are near copies of training samples, whose evidence is far
# higher than that of other views: 0.3 in the same place, 0.1 in another one.
_OTHER_VIEWS = 0.22
_WEAK = 0.05


def open_detector(problem: Problem, rows: IntArray) -> UnknownDetector:
    """
    Return a detector without a threshold.

    Args:
        problem: the samples and options.
        rows: int64 ``[M]``, the samples that the head is trained on.
    """
    labels, conditioning = problem.labels[rows], problem.features.conditioning
    sample = BalancedOrder(rows, labels, problem.rng).following(min(_ROWS, len(rows)))
    features = (problem.rows.floats(sample) - conditioning.center) * conditioning.gain
    squares = np.einsum('nd,nd->n', features, features)
    features /= np.sqrt(np.maximum(squares, np.float32(1e-12)))[:, np.newaxis]
    number = min(_DIRECTIONS, len(rows) // 2, features.shape[1] // 2)
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
    Return the threshold that classifies at most the given share of known samples as unknown.

    Samples of one day are more alike than those of two.  So if little separates the weak from the
    typical evidence of held-out samples, less evidence is expected of known things on another day.

    Args:
        scores: float32 ``[N]`` of known samples that the head was not trained on, N at least 1.
        rejection_rate: the requested share, 0 to below 1.
        parts: int64 ``[N]``, numbers of parts; the share holds in each of them.  None = one part.
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


def _threshold(scores: FloatArray, rejection_rate: float, weak: float) -> float:
    """Return the threshold for a day with weak evidence of at most this share of the median."""
    wanted, usual = _next_higher(scores, rejection_rate), _next_higher(scores, _WEAK)
    typical = float(np.median(scores))
    if max(wanted, usual, typical) >= 0.0:
        return wanted
    return wanted * min(weak * typical / usual, 1.0)


def _next_higher(scores: FloatArray, rate: float) -> float:
    # Equals np.quantile(..., method='higher'); numpy 1.21 has another name for that argument.
    rank = math.ceil((1.0 - rate) * (len(scores) - 1))
    return float(np.partition(scores, rank)[rank])
