# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Conditioning: the transform to features on which gradient descent converges quickly.

Raw embeddings are not centred, and their features differ in spread.  This makes the loss a narrow
valley: a step that is small enough for its steep directions is far too small for the flat ones
(LeCun et al., 'Efficient BackProp', 1998, section 4.3).  Features are therefore centred and scaled
before training.  The trained weights are converted afterwards, so that the head's input is the
raw embedding.

Each feature is divided by the *square root* of its standard deviation.  This 'Pareto scaling' (van
den Berg et al., 'Centering, scaling, and transformations', BMC Genomics 7:142, 2006) evens out the
spreads, but does not amplify weak features, which are mostly noise, to the size of strong ones.

Some directions then still dominate: along them, embeddings of the same class differ far more than
along all other directions, because of pose and light.  The features are shrunk along these
directions, to the spread along the strongest of the other directions.  (Within-class covariance
normalization, Hatch, Kajarekar and Stolcke, Interspeech 2006, scales all directions.)
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

# Added to the spread of each feature, as a fraction of the mean spread, to limit the gain of
# features that are almost constant.
_SPREAD_FLOOR = 0.1

# If the features take at most this many bytes as float32, they are all computed once and cached.
_LARGEST_COPY_BYTES = 2**24

# Minimum ratio of dimensions to rows for which FeatureRows reduces the features.  With more rows,
# computing the space that they span takes longer than the reduction saves.
_REDUCTION = 4

# A few power iterations suffice, because the learning rate does not need an exact eigenvalue.
_POWER_ITERATIONS = 6

# Maximum number of rows from which the dominating directions are computed.
_DIRECTION_ROWS = 512

# Maximum number of directions to shrink.
_MOST_DIRECTIONS = 64
# Maximum number of directions to shrink if features are not cached, because each batch must then
# be shrunk when it is read.
_MOST_DIRECTIONS_OF_MANY = 16
# Minimum number of samples per shrunk direction.
_SAMPLES_A_DIRECTION = 8
# Smallest factor by which features are shrunk.
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
        Return the conditioning that makes features centred, with a mean square of 1.

        Args:
            embeddings: float32 ``[N, D]``, dequantized; some of the samples suffice.
            labels: int64 ``[N]``, their classes.
            of_many: whether all samples together are too many for :class:`FeatureRows` to cache.

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
            # All embeddings are equal: there is nothing to learn, and dividing by 0 yields NaN.
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
        """Convert weights ``[D, C]`` and bias for features to equivalents for embeddings."""
        removed = (1.0 - self.shrink)[:, np.newaxis] * (self.directions.T @ weights)
        raw = (weights - self.directions @ removed) * self.gain[:, np.newaxis]
        return raw, bias - self.center @ raw

    def unfold(self, head: Head, temperature: float) -> tuple[FloatArray, FloatArray]:
        """Convert a head to weights ``[D, C]`` and bias for features, times temperature."""
        weights = head.weights * (np.float32(temperature) / self.gain)[:, np.newaxis]
        added = (1.0 / self.shrink - 1.0)[:, np.newaxis] * (self.directions.T @ weights)
        bias = (head.bias + self.center @ head.weights) * np.float32(temperature)
        return weights + self.directions @ added, bias


class FeatureRows:
    """
    The conditioned features of all samples.

    They are cached if they take at most 16 MiB, else computed whenever rows are read.

    Args:
        rows: the embeddings.
        conditioning: the transform.
        reduced: whether to reduce the features if there are far fewer rows than dimensions:
            features are then coordinates in the space that the rows span.  Gradient descent that
            starts in this space does not leave it, so training takes the same steps in a fraction
            of the time.
    """

    def __init__(
        self, rows: EmbeddingRows, conditioning: Conditioning, *, reduced: bool = False
    ) -> None:
        self.count, self.feature_dim = rows.count, rows.feature_dim
        self.conditioning = conditioning
        self._raw = rows.raw
        # Dequantizing, centring and scaling together are one multiplication and one addition.
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
        """Length of a row: D, or less if the features are reduced."""
        return self.feature_dim if self._basis is None else self._basis.shape[1]

    def __getitem__(self, rows: IntArray | slice) -> FloatArray:
        """Return the features of some rows, float32 ``[M, columns]``; do not modify the array."""
        if self._cached is not None:
            return self._cached[rows]
        features = self._raw[rows].astype(np.float32)
        features *= self._factor
        features += self._offset
        self.conditioning.shrink_in_place(features)
        return features

    def fold(self, weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Convert weights ``[columns, C]`` and bias for features to equivalents for embeddings."""
        if self._basis is not None:
            weights = self._basis @ weights
        return self.conditioning.fold(weights, bias)

    def unfold(self, head: Head, temperature: float) -> tuple[FloatArray, FloatArray]:
        """Convert a head to weights ``[columns, C]`` and bias for features, times temperature."""
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
    # Rows of small classes may occur several times.  Rows with equal sums are assumed to be the
    # same row, which is used once.
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
    # Start from the longest row, because a vector that is orthogonal to all rows would yield 0.
    vector = features[np.argmax(np.einsum('nd,nd->n', features, features))]
    value = np.float32(0.0)
    for _ in range(_POWER_ITERATIONS):
        length = np.sqrt(vector @ vector)
        if length == 0.0:
            break
        vector = (vector / length) @ features.T @ features
        value = np.sqrt(vector @ vector)
    return float(value) / len(features)
