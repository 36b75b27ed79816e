# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
LeastSquares: a classifier that can forget any of its samples in milliseconds.

A head takes a second to train, so it cannot be trained once without each robot of a fleet.  A
regularized regression on the labels (one-hot) needs only sums over samples, and so the samples of
a robot are subtracted.  A robot's wrong labels cost it about as much accuracy as they cost a head.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.fleet.training.mistakes import Floats
from edgetpu_retrain.fleet.training.pool import Pool
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.model_file.quantization import dequantize
import numpy as np

# Embeddings are projected at random to so many numbers, which keeps their distances (W. Johnson
# and J. Lindenstrauss, 1984) and makes the regression fast.
_DIMENSION = 256
# The regularization, as a share of the mean eigenvalue.
_REGULARIZATION = 0.1


@dataclass(frozen=True, eq=False)
class Sums:
    """
    What the regression needs of some samples.

    Args:
        products: float64 ``[D, D]``, of the features.
        targets: float64 ``[D, C]``, products of features and one-hot labels.
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
    A classifier of some samples of a pool.

    Args:
        pool: all samples.
        rows: int64 ``[M]``, the samples to learn.
    """

    def __init__(self, pool: Pool, rows: IntArray) -> None:
        self.labels = pool.labels[rows]
        self._classes = len(pool.names)
        self._features = _features(pool, rows)
        self.all = self.sums(np.arange(len(rows)))
        size = len(self.all.products)
        # The features have length 1, so their products have the trace M.
        self._regularization = _REGULARIZATION * len(rows) / (size - 1) * np.eye(size)

    def sums(self, members: IntArray) -> Sums:
        """Return the sums over some of the samples; ``members`` are places in ``rows``."""
        features, labels = self._features[members], self.labels[members]
        targets = np.zeros((features.shape[1], self._classes))
        for label in np.unique(labels):
            targets[:, label] = features[labels == label].sum(axis=0)
        return Sums(features.T @ features, targets, np.bincount(labels, minlength=self._classes))

    def classes_of(self, members: IntArray, learned: Sums) -> IntArray:
        """
        Classify some of the samples.

        Args:
            members: int64 ``[E]``, places in ``rows``.
            learned: the sums of the samples to learn.

        Returns:
            int64 ``[E]``, the class of each; -1 if none was learned.
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
    """Return the features of some samples, and a constant, float64 ``[M, D]``."""
    embeddings = dequantize(pool.raw[rows], pool.quantization)
    centered = embeddings - embeddings.mean(axis=0)
    if centered.shape[1] > _DIMENSION:
        shape = centered.shape[1], _DIMENSION
        centered = centered @ np.random.default_rng(0).standard_normal(shape, np.float32)
    features = centered.astype(np.float64)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.hstack([features, np.ones((len(features), 1))])
