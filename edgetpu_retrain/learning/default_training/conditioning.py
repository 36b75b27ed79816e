# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Conditioning: features on which gradient descent converges in tens of iterations.

Raw embeddings are not centred and their features differ in spread, which makes the loss a narrow
valley: a step small enough for its steep side is far too small for the flat one (LeCun et al.,
'Efficient BackProp', 1998, section 4.3).  Features are therefore centred and scaled before
training, and the trained weights are folded back, so that a head takes unconditioned embeddings.

Each feature is divided by the *square root* of its standard deviation, 'Pareto scaling' (van den
Berg et al., 'Centering, scaling, and transformations', BMC Genomics 7:142, 2006): it evens out the
spreads without amplifying weak features, which are mostly noise, to the size of strong ones.

Some directions across many features then still dominate: along these, embeddings of the same
class differ far more than along all other directions, because of pose and light.  They are shrunk
to the spread of the next strongest direction; within-class covariance normalization (Hatch,
Kajarekar and Stolcke, Interspeech 2006) scales all directions.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.subspace import (
    leading_directions,
    principal_directions,
)
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.head import Head
import numpy as np

# Added to the spread of each feature, relative to the mean spread, to bound the gain of features
# that are almost constant.
_SPREAD_FLOOR = 0.1

# If the features take at most this many bytes as float32, they are all computed once and cached.
_LARGEST_COPY_BYTES = 2**24

# Coordinates are used only with at least this many dimensions per row: with more rows, finding the
# space that they span takes longer than it saves.
_REDUCTION = 4

# A few power iterations suffice, because the learning rate does not need an exact eigenvalue.
_POWER_ITERATIONS = 6

# Maximum number of rows that are searched for dominating directions.
_DIRECTION_ROWS = 512

# Maximum number of directions to shrink, samples needed per direction, and smallest factor.  If
# features are computed batch by batch, more than a few directions would take too much time.
_MOST_DIRECTIONS = 64
_MOST_DIRECTIONS_OF_MANY = 16
_SAMPLES_A_DIRECTION = 8
_SMALLEST_SHRINK = 0.1


@dataclass(frozen=True, eq=False)
class Conditioning:
    """
    The transform from dequantized embeddings to features on which training converges quickly.

    Features are ``z = (x - center) * gain``, shrunk along some directions.

    Args:
        center: float32 ``[D]``.
        gain: float32 ``[D]``, above 0.
        directions: float32 ``[D, R]``, orthonormal; R may be 0.
        shrink: float32 ``[R]``, in (0, 1]: the factor along each direction.
    """

    center: FloatArray
    gain: FloatArray
    directions: FloatArray
    shrink: FloatArray

    @classmethod
    def scaling(cls, center: FloatArray, gain: FloatArray) -> Conditioning:
        """Return a conditioning that only centres and scales."""
        return cls(center, gain, np.empty((len(center), 0), np.float32), np.empty(0, np.float32))

    @classmethod
    def from_sample(
        cls, embeddings: FloatArray, labels: IntArray, *, of_many: bool = False
    ) -> Conditioning:
        """
        Return the conditioning that gives centred features with a mean square of 1.

        Args:
            embeddings: float32 ``[N, D]``, dequantized; a sample of the data suffices.
            labels: int64 ``[N]``, their classes.
            of_many: whether there are too many rows for :class:`FeatureRows` to cache.

        Raises:
            ValueError: if the squares of the values overflow.
        """
        with np.errstate(over='ignore', invalid='ignore'):
            center = embeddings.mean(axis=0)
            centred = embeddings - center
            variance = np.einsum('nd,nd->d', centred, centred) / np.float32(len(centred))
        spread = np.sqrt(variance)
        if not np.isfinite(spread).all():
            raise ValueError(
                f'embeddings holds values up to {np.abs(embeddings).max():g}; they must be small '
                'enough for their squares to be finite in float32 (below 1e15)'
            )
        typical = spread.mean()
        if typical == 0.0:
            # All embeddings are equal: avoid a division by 0; there is nothing to learn.
            return cls.scaling(center, np.ones_like(center))
        spread = np.sqrt(spread + np.float32(_SPREAD_FLOOR) * typical)
        centred /= spread
        most = _MOST_DIRECTIONS_OF_MANY if of_many else _MOST_DIRECTIONS
        directions, shrink = _dominating(centred, labels, most)
        # The mean square of the features after shrinking, which the gain normalizes to 1.
        along = centred @ directions
        square = (centred * centred).mean() - (
            along * along * (1 - shrink**2)
        ).sum() / centred.size
        return cls(center, (1.0 / (spread * np.sqrt(square))), directions, shrink)

    def features(self, embeddings: FloatArray) -> FloatArray:
        """Return the features, float32 ``[N, D]``, of dequantized embeddings."""
        features = (embeddings - self.center) * self.gain
        self.shrink_in_place(features)
        return features

    def shrink_in_place(self, features: FloatArray) -> None:
        """Shrink centred and scaled features, float32 ``[N, D]``, along the directions."""
        if len(self.shrink):
            along = features @ self.directions
            along *= 1.0 - self.shrink
            np.subtract(features, along @ self.directions.T, out=features)

    def fold(self, weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Convert weights and bias for features to the equivalent ones for embeddings."""
        removed = (1.0 - self.shrink)[:, np.newaxis] * (self.directions.T @ weights)
        raw = (weights - self.directions @ removed) * self.gain[:, np.newaxis]
        return raw, bias - self.center @ raw

    def unfold(self, head: Head, temperature: float) -> tuple[FloatArray, FloatArray]:
        """Return weights and bias for features that yield the head's logits times temperature."""
        weights = head.weights * (np.float32(temperature) / self.gain)[:, np.newaxis]
        added = (1.0 / self.shrink - 1.0)[:, np.newaxis] * (self.directions.T @ weights)
        bias = (head.bias + self.center @ head.weights) * np.float32(temperature)
        return weights + self.directions @ added, bias


class FeatureRows:
    """
    The conditioned features: cached if they are few, else computed batch by batch.

    Args:
        rows: the embeddings.
        conditioning: the transform.
        reduced: whether to use coordinates in the space that the rows span, if there are far fewer
            rows than dimensions.  Gradient descent from weights in this space does not leave it,
            so it takes the same steps in a fraction of the time.
    """

    def __init__(
        self, rows: EmbeddingRows, conditioning: Conditioning, *, reduced: bool = False
    ) -> None:
        self.count, self.feature_dim = rows.count, rows.feature_dim
        self.conditioning = conditioning
        self._raw = rows.raw
        # Together, dequantizing, centring and scaling take one multiplication and one addition.
        scale, zero = np.float32(rows.scale), np.float32(rows.zero_point)
        self._factor = scale * conditioning.gain
        self._offset = -(scale * zero + conditioning.center) * conditioning.gain
        self._cached: FloatArray | None = None
        if not self.are_many(rows):
            self._cached = self[:]
        self._basis: FloatArray | None = None
        if reduced and self._cached is not None and _REDUCTION * self.count <= self.feature_dim:
            self._basis, _ = principal_directions(self._cached)
            self._cached = self._cached @ self._basis

    @staticmethod
    def are_many(rows: EmbeddingRows) -> bool:
        """Return whether the features of these rows are too many to be cached."""
        return rows.count * rows.feature_dim * 4 > _LARGEST_COPY_BYTES

    @property
    def columns(self) -> int:
        """Length of a row: D, or the number of coordinates."""
        return self.feature_dim if self._basis is None else self._basis.shape[1]

    def __getitem__(self, rows: IntArray | slice) -> FloatArray:
        """Return the features of these rows; callers must not modify them."""
        if self._cached is not None:
            return self._cached[rows]
        features = self._raw[rows].astype(np.float32)
        features *= self._factor
        features += self._offset
        self.conditioning.shrink_in_place(features)
        return features

    def fold(self, weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Convert weights and bias for these rows to the equivalent ones for embeddings."""
        if self._basis is not None:
            weights = self._basis @ weights
        return self.conditioning.fold(weights, bias)

    def unfold(self, head: Head, temperature: float) -> tuple[FloatArray, FloatArray]:
        """Return weights and bias that yield a head's logits times temperature for these rows."""
        weights, bias = self.conditioning.unfold(head, temperature)
        return weights if self._basis is None else self._basis.T @ weights, bias


def _dominating(
    features: FloatArray, labels: IntArray, most: int
) -> tuple[FloatArray, FloatArray]:
    """
    Return the directions of largest within-class spread, and their shrink factors.

    Args:
        features: float32 ``[N, D]``.
        labels: int64 ``[N]``, their classes.
        most: the largest number of directions.

    Returns:
        The directions, float32 ``[D, R]``, and the factors, float32 ``[R]``.
    """
    # A balanced sample repeats rows of small classes, which have the same sum; each counts once.
    _, once = np.unique(features[:_DIRECTION_ROWS].sum(axis=1), return_index=True)
    _, members = np.unique(labels[once], return_inverse=True)
    some = features[once]
    dim = features.shape[1]
    sizes = np.bincount(members)
    degrees_of_freedom = len(members) - len(sizes)
    number = min(most, degrees_of_freedom // _SAMPLES_A_DIRECTION, dim // 2)
    if number == 0:
        return np.empty((dim, 0), np.float32), np.empty(0, np.float32)
    by_class = np.zeros((len(sizes), len(some)), np.float32)
    by_class[members, np.arange(len(some))] = 1.0 / sizes[members]
    some = some - (by_class @ some)[members]
    directions, values = leading_directions(some, number)
    largest, following = values[:number], values[number:].max(initial=0.0)
    shrink = np.sqrt(following / np.maximum(largest, np.finfo(np.float32).tiny))
    return (
        np.ascontiguousarray(directions[:, :number]),
        np.clip(shrink, _SMALLEST_SHRINK, 1.0).astype(np.float32),
    )


def largest_eigenvalue(features: FloatArray) -> float:
    """
    Return the largest eigenvalue of the features' covariance, by power iteration.

    Args:
        features: float32 ``[N, D]``, centred.
    """
    # The start vector must not be orthogonal to all rows; the longest row is not.
    vector = features[np.argmax(np.einsum('nd,nd->n', features, features))]
    value = np.float32(0.0)
    for _ in range(_POWER_ITERATIONS):
        length = np.sqrt(vector @ vector)
        if length == 0.0:
            break
        vector = (vector / length) @ features.T @ features
        value = np.sqrt(vector @ vector)
    return float(value) / len(features)
