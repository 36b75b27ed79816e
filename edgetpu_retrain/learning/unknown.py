# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Detection of unknown embeddings, those that belong to none of the classes.

The largest softmax probability compares the known classes with each other; it does not show
whether any of them fits.  The largest *logit* does, but it grows with the length of the embedding,
so it is divided by this length, computed from conditioned features.  Before that, a quarter of the
margin to the second-best class is added, since an embedding between two classes is doubtful too.
The unknown score is the negative of the result.

A class with varied samples also has a large logit for many unknown things.  But features of known
samples lie mostly along the directions in which the samples spread most, and features of unknown
things do not.  So the length is increased if little of it lies along these directions.  Combining
features and logits follows ViM (Wang et al., 'ViM: Out-Of-Distribution with Virtual-logit
Matching', CVPR 2022).  ViM adds a logit for the part of an embedding outside of the directions.
Here, this part counts only if it is almost the whole embedding, because known things seen on
another day have more of it than the training samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np

# Weight of the margin to the second-best class, relative to the best class's logit.
_MARGIN_WEIGHT = 0.25

# Exponent of an embedding's share along the directions, relative to ``full_share``.
_SHARE_POWER = 5


@dataclass(frozen=True, eq=False)
class UnknownDetector:
    """
    Computes unknown scores, and stores the threshold to compare them with.

    Args:
        center: float32 ``[D]``, the mean embedding.
        gain: float32 ``[D]``, the factor of each centred feature.
        threshold: scores above it are classified as unknown; infinity disables detection.
        directions: float32 ``[D, R]``, orthonormal: the directions in which known samples spread
            most.  R may be 0, as in files of earlier releases; then ``full_share`` is not used.
        full_share: embeddings with a smaller share of their length along the directions, 0 to 1,
            have higher scores.
    """

    center: FloatArray
    gain: FloatArray
    threshold: float = math.inf
    directions: FloatArray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    full_share: float = 0.0

    def scores(self, logits: FloatArray, embeddings: FloatArray) -> FloatArray:
        """
        Return the unknown score of each embedding: the larger, the less it fits any class.

        Args:
            logits: float32 ``[N, C]``, C at least 2, of the detector's head.
            embeddings: float32 ``[N, D]``, dequantized.

        Returns:
            float32 ``[N]``, most of them negative.
        """
        return unknown_scores(logits, self.lengths(embeddings))

    def lengths(self, embeddings: FloatArray) -> FloatArray:
        """
        Return the root mean square of each embedding's features, float32 ``[N]``.

        It is increased for embeddings with less than ``full_share`` along the directions.
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
    """Return the unknown scores for logits ``[N, C]`` and a detector's lengths ``[N]``."""
    two = np.partition(logits, -2, axis=1)[:, -2:]
    evidence = two[:, 1] + np.float32(_MARGIN_WEIGHT) * (two[:, 1] - two[:, 0])
    scores: FloatArray = -evidence / lengths
    return scores
