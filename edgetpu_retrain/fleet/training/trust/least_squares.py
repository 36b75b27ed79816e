# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
LeastSquares: a classifier that can forget any of its samples in milliseconds.

Training a head takes about a second: too long to train, for each robot of a fleet, a head without
the samples of that robot.  A regularized least-squares regression on one-hot labels needs only
sums over samples, from which the samples of a robot can be subtracted.  Wrong labels cost this
classifier about as much accuracy as they cost a head.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.fleet.training.pool import Pool
from edgetpu_retrain.fleet.training.trust.mistakes import Floats
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.model_file.quantization import dequantize
import numpy as np

# Longer embeddings are projected to this many dimensions at random, which approximately preserves
# distances (W. Johnson and J. Lindenstrauss, 1984) and makes the regression fast.
_DIMENSION = 256
# The regularization, as a share of the mean eigenvalue of the matrix ``Sums.products``.
_REGULARIZATION = 0.1


@dataclass(frozen=True, eq=False)
class Sums:
    """
    The sums over some samples that the regression needs.

    Args:
        products: float64 ``[D, D]``, outer products of the samples' features with themselves.
        targets: float64 ``[D, C]``, outer products of the samples' features and one-hot labels.
        counts: int64 ``[C]``, number of samples of each class.
    """

    products: Floats
    targets: Floats
    counts: IntArray

    def __sub__(self, other: Sums) -> Sums:
        return Sums(
            self.products - other.products,
            self.targets - other.targets,
            self.counts - other.counts,
        )


class LeastSquares:
    """
    Learns some samples of a pool, and classifies others.

    Args:
        pool: all samples.
        rows: int64 ``[M]``, the samples to learn or classify.

    Attributes:
        labels: int64 ``[M]``, the class of each of these samples.
        all: the sums over all of these samples.
    """

    def __init__(self, pool: Pool, rows: IntArray) -> None:
        self.labels = pool.labels[rows]
        self._classes = len(pool.names)
        self._features = _features(pool, rows)
        self.all = self.sums(np.arange(len(rows)))
        size = len(self.all.products)
        # Without the constant, the features of each sample have length 1.  So the trace of their
        # products is M, and the mean eigenvalue is M divided by the number of features.
        self._regularization = _REGULARIZATION * len(rows) / (size - 1) * np.eye(size)

    def sums(self, members: IntArray) -> Sums:
        """Return the sums over some of the samples; ``members`` are indices of ``rows``."""
        features, labels = self._features[members], self.labels[members]
        targets = np.zeros((features.shape[1], self._classes))
        for label in np.unique(labels):
            targets[:, label] = features[labels == label].sum(axis=0)
        return Sums(features.T @ features, targets, np.bincount(labels, minlength=self._classes))

    def classes_of(self, members: IntArray, learned: Sums) -> IntArray:
        """
        Classify some of the samples.

        Args:
            members: int64 ``[E]``, indices of ``rows``.
            learned: the sums over the samples to learn.

        Returns:
            int64 ``[E]``, the class of each; -1 for all if ``learned`` has no samples.
        """
        known = np.flatnonzero(learned.counts)
        if not len(known):
            return np.full(len(members), -1, np.int64)
        weights = np.linalg.solve(
            learned.products + self._regularization, learned.targets[:, known]
        )
        classes: IntArray = known[np.argmax(self._features[members] @ weights, axis=1)]
        return classes


def _features(pool: Pool, rows: IntArray) -> Floats:
    """Return the features of some samples, float64 ``[M, D]``; the last feature is constant."""
    embeddings = dequantize(pool.raw[rows], pool.quantization)
    centered = embeddings - embeddings.mean(axis=0)
    if centered.shape[1] > _DIMENSION:
        shape = centered.shape[1], _DIMENSION
        centered = centered @ np.random.default_rng(0).standard_normal(shape, np.float32)
    features = centered.astype(np.float64)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.hstack([features, np.ones((len(features), 1))])
