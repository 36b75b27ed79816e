# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Detection of unknown embeddings, those that belong to none of the classes.

The largest softmax probability compares the known classes with each other, and does not show
whether any of them fits.  The largest *logit* shows this, but it grows with the length of the
embedding.  It is therefore divided by this length, computed from centred and scaled features.
Before the division, a quarter of the margin to the second-best class is added, because an
embedding between two classes is doubtful, too.  The unknown score is the negative of the result.

A class with varied samples also has a large logit for many unknown objects.  But the feature
vectors of known samples are mostly along the directions in which the samples spread most, and
those of unknown objects are not.  So the length is increased if only a small share of it is along
these directions.

Combining features and logits follows ViM (Wang et al., 'ViM: Out-Of-Distribution with
Virtual-logit Matching', CVPR 2022).  ViM adds a logit for the part of an embedding outside of the
directions.  Here, this part counts only if it is almost the entire embedding, because for known
objects it is larger on another day than in the training samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

# Weight of the margin to the second-best class, relative to the best class's logit.
_MARGIN_WEIGHT = 0.25

# If the share of an embedding's length along the directions is less than ``full_share``, the
# length is divided by ``(share / full_share) ** _SHARE_POWER``.
_SHARE_POWER = 5


@dataclass(frozen=True, eq=False)
class UnknownDetector:
    """
    Computes unknown scores, and stores the threshold to compare them with.

    Args:
        center: float32 ``[D]``, the mean embedding.
        gain: float32 ``[D]``, the factor of each centred feature.
        threshold: embeddings with a higher score are unknown; infinity disables detection.
        directions: float32 ``[D, R]``, orthonormal: the directions in which known samples spread
            most.  R may be 0, as in files of earlier releases; then ``full_share`` is not used.
        full_share: if the share of an embedding's length along the directions is less than this,
            0 to 1, its length is increased.
    """

    center: FloatArray
    gain: FloatArray
    threshold: float = math.inf
    directions: FloatArray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    full_share: float = 0.0

    def scores(self, logits: FloatArray, embeddings: FloatArray) -> FloatArray:
        """
        Return the unknown score of each embedding: the better a class fits, the lower the score.

        Args:
            logits: float32 ``[N, C]``, C at least 2, of the detector's head.
            embeddings: float32 ``[N, D]``, dequantized.

        Returns:
            float32 ``[N]``; the scores of known samples are usually negative.
        """
        return unknown_scores(logits, self.lengths(embeddings))

    def lengths(self, embeddings: FloatArray) -> FloatArray:
        """
        Return the root mean square of each embedding's features, float32 ``[N]``.

        The result is increased if less than ``full_share`` of the length is along the directions.
        """
        features = (embeddings - self.center) * self.gain
        squares = np.einsum('nd,nd->n', features, features)
        # An embedding equal to the mean has length 0; avoid dividing by it.
        lengths: FloatArray = np.maximum(np.sqrt(squares), np.float32(1e-6))
        if self.directions.size and self.full_share > 0.0:
            along = features @ self.directions
            shares = np.sqrt(np.einsum('nr,nr->n', along, along)) / lengths
            familiar = np.clip(shares / np.float32(self.full_share), 1e-3, 1.0)
            lengths /= familiar**_SHARE_POWER
        lengths /= np.float32(math.sqrt(len(self.gain)))
        return lengths


def unknown_scores(logits: FloatArray, lengths: FloatArray) -> FloatArray:
    """Return unknown scores, float32 ``[N]``, from logits ``[N, C]`` and a detector's lengths."""
    two = np.partition(logits, -2, axis=1)[:, -2:]
    evidence = two[:, 1] + np.float32(_MARGIN_WEIGHT) * (two[:, 1] - two[:, 0])
    scores: FloatArray = -evidence / lengths
    return scores
