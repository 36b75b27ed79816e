# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Detection of unknown embeddings, those that belong to none of the classes.

The largest softmax probability compares the known classes with each other; it does not show
whether any of them fits.  The largest *logit* does, but it grows with the length of the embedding,
so it is divided by this length, computed from conditioned features.  Before that, a quarter of the
margin to the second-best class is added, since an embedding between two classes is doubtful too.
The unknown score is the negative of the result.  Combining features and logits follows ViM (Wang
et al., 'ViM: Out-Of-Distribution with Virtual-logit Matching', CVPR 2022).  ViM multiplies each
embedding by a matrix of 64 by D; this score needs two vectors of length D and is as accurate.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

# Weight of the margin to the second-best class, relative to the best class's logit.
_MARGIN_WEIGHT = 0.25

# If held-out samples have almost equal scores, they are near copies of training samples, such as
# frames of one recording; a new view of the same object will have a higher score.  The measure of
# similarity is the 5th percentile of their evidence (the negative score) divided by its median.
# It is 0.4 to 0.55 for Oxford-17, whose photographs differ widely, 0.84 for frames of a steady
# camera, and 1 for copies of one picture.  In the demo, the evidence of new views without near
# copies is at least 0.25 of this median; that of untrained classes is at most 0.2 of it.
_SHARE_OF_INDEPENDENT_SAMPLES = 0.6
_SHARE_OF_COPIES = 0.8
_SHARE_OF_OTHER_VIEWS = 0.25


@dataclass(frozen=True, eq=False)
class UnknownDetector:
    """
    Computes unknown scores, and stores the threshold to compare them with.

    Args:
        center: float32 ``[D]``, the mean embedding.
        gain: float32 ``[D]``, the factor of each centred feature.
        threshold: scores above it are classified as unknown; infinity disables detection.
    """

    center: FloatArray
    gain: FloatArray
    threshold: float = math.inf

    def scores(self, logits: FloatArray, embeddings: FloatArray) -> FloatArray:
        """
        Return the unknown score of each embedding: the larger, the less it fits any class.

        Args:
            logits: float32 ``[N, C]``, C at least 2, of the detector's head.
            embeddings: float32 ``[N, D]``, dequantized.

        Returns:
            float32 ``[N]``, most of them negative.
        """
        features = (embeddings - self.center) * self.gain
        lengths = np.sqrt(np.einsum('nd,nd->n', features, features))
        return unknown_scores(logits, lengths / np.float32(math.sqrt(len(self.gain))))


def unknown_scores(logits: FloatArray, lengths: FloatArray) -> FloatArray:
    """Return the unknown scores for logits ``[N, C]`` and feature lengths ``[N]``."""
    two = np.partition(logits, -2, axis=1)[:, -2:]
    evidence = two[:, 1] + np.float32(_MARGIN_WEIGHT) * (two[:, 1] - two[:, 0])
    # An embedding equal to the mean has length 0; avoid dividing by it.
    scores: FloatArray = -evidence / np.maximum(lengths, np.float32(1e-6))
    return scores


def threshold_for(scores: FloatArray, rejection_rate: float) -> float:
    """
    Return the threshold that classifies at most the given share of known samples as unknown.

    If the samples are near copies of each other, the threshold is higher: an embedding then counts
    as known if its evidence (the negative score) is a quarter of the samples' median or more.

    Args:
        scores: float32 ``[N]`` of known samples that the head was not trained on.
        rejection_rate: the requested share, 0 to below 1.
    """
    # Equals np.quantile(..., method='higher'); numpy 1.21 has another name for that argument.
    rank = math.ceil((1.0 - rejection_rate) * (len(scores) - 1))
    wanted = float(np.partition(scores, rank)[rank])
    typical, weak = (float(each) for each in np.quantile(scores, (0.5, 0.95)))
    if typical >= 0.0:
        return wanted
    alike = (weak / typical - _SHARE_OF_INDEPENDENT_SAMPLES) / (
        _SHARE_OF_COPIES - _SHARE_OF_INDEPENDENT_SAMPLES
    )
    for_copies = max(wanted, _SHARE_OF_OTHER_VIEWS * typical)
    return wanted + min(max(alike, 0.0), 1.0) * (for_copies - wanted)
