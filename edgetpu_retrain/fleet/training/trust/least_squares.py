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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from edgetpu_retrain.fleet.training.pool import Pool
from edgetpu_retrain.fleet.training.trust.mistakes import Floats
from edgetpu_retrain.learning import FloatArray, IntArray
from edgetpu_retrain.model_file.quantization import dequantize
import numpy as np

# Longer embeddings are projected to this many dimensions by a random matrix, which approximately
# preserves distances (W. Johnson and J. Lindenstrauss, 1984) and makes the regression fast.
_DIMENSION = 512
# The regularization, as a share of the mean eigenvalue of the matrix ``Sums.products``.
_REGULARIZATION = 0.1
# To forget at most this number of samples, updating the scores is faster than a new regression.
_FEW = 64
# Number of groups of samples for which classes_without_each() updates the scores together.
_TOGETHER = 32


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

    @cached_property
    def inverse(self) -> Floats:
        """The inverse of ``products``, float64 ``[D, D]``."""
        inverse: Floats = np.linalg.inv(self.products)
        return inverse

    @cached_property
    def weights(self) -> Floats:
        """The weights of the regression, float64 ``[D, C]``."""
        weights: Floats = np.linalg.solve(self.products, self.targets)
        return weights


class LeastSquares:
    """
    Samples of a pool to learn or classify.

    Args:
        pool: all samples.
        rows: int64 ``[M]``, the samples to learn or classify.
        projections: float32 ``[M, D]``, what :func:`projected` returns for these samples, alone or
            among others.

    Attributes:
        labels: int64 ``[M]``, the class of each of these samples.
        features: float64 ``[M, D + 1]``, their features.
        all: the sums over all of these samples, plus the regularization of the regression.
    """

    def __init__(self, pool: Pool, rows: IntArray, projections: FloatArray) -> None:
        self.labels = pool.labels[rows]
        self.features = _features(projections)
        self._classes = len(pool.names)
        sums = self.sums(np.arange(len(rows)))
        size = len(sums.products)
        # Without the constant, the features of each sample have length 1.  So the trace of their
        # products is M, and the mean eigenvalue is M divided by the number of features.
        regularization = _REGULARIZATION * len(rows) / (size - 1) * np.eye(size)
        self.all = Sums(sums.products + regularization, sums.targets, sums.counts)

    def sums(self, members: IntArray) -> Sums:
        """Return the sums over some of the samples; ``members`` are indices of ``rows``."""
        features, labels = self.features[members], self.labels[members]
        targets = np.zeros((features.shape[1], self._classes))
        for label in np.unique(labels):
            targets[:, label] = features[labels == label].sum(axis=0)
        return Sums(features.T @ features, targets, np.bincount(labels, minlength=self._classes))


class Classification:
    """
    Classifies samples by a regression on learned samples, some of which it can forget.

    Args:
        learner: the samples.
        members: int64 ``[E]``, the samples to classify, as indices of the learner's ``rows``.
        learned: ``learner.all``, or ``learner.all`` minus the sums over the samples not to learn.
    """

    def __init__(self, learner: LeastSquares, members: IntArray, learned: Sums) -> None:
        self._learner = learner
        self._learned = learned
        self._features = learner.features[members]
        self._scores = self._features @ learned.weights

    def classes(self) -> IntArray:
        """Return the class of each sample, int64 ``[E]``; -1 for all if no class was learned."""
        return _best(self._scores, self._learned.counts)

    def classes_without(self, members: IntArray) -> IntArray:
        """
        Return the class of each sample after forgetting some of the learned samples.

        Args:
            members: the samples to forget, as indices of the learner's ``rows``.

        Returns:
            int64 ``[E]``; -1 for all if no learned sample is left.
        """
        return next(self.classes_without_each([members]))

    def classes_without_each(self, groups: Sequence[IntArray]) -> Iterator[IntArray]:
        """
        Yield what :meth:`classes_without` returns for each of several groups of learned samples.

        For many small groups, this is several times as fast as a call for each.
        """
        for first in range(0, len(groups), _TOGETHER):
            yield from self._without_each(groups[first:][:_TOGETHER])

    def _without_each(self, groups: Sequence[IntArray]) -> Iterator[IntArray]:
        few = [members for members in groups if len(members) <= _FEW]
        if few:
            features = self._learner.features[np.concatenate(few)]
            directions = self._learned.inverse @ features.T
            similarities = self._features @ directions
        end = 0
        for members in groups:
            if len(members) > _FEW:
                rest = self._learned - self._learner.sums(members)
                yield _best(self._features @ rest.weights, rest.counts)
                continue
            # Update the scores by the Sherman-Morrison-Woodbury formula (M. Woodbury, 1950).
            start, end = end, end + len(members)
            labels = self._learner.labels[members]
            errors = features[start:end] @ self._learned.weights
            errors[np.arange(len(members)), labels] -= 1.0
            within = features[start:end] @ directions[:, start:end]
            change = np.linalg.solve(np.eye(len(members)) - within, errors)
            scores = self._scores + similarities[:, start:end] @ change
            counts = self._learned.counts
            yield _best(scores, counts - np.bincount(labels, minlength=len(counts)))


def _best(scores: Floats, counts: IntArray) -> IntArray:
    best = np.argmax(np.where(counts > 0, scores, -np.inf), axis=1)
    return np.where(counts.any(), best, -1)


def projected(pool: Pool, rows: IntArray) -> FloatArray:
    """
    Return the embeddings of some samples, projected to at most 512 dimensions, float32 ``[M, D]``.

    The projection of a sample depends on ``rows`` only by a constant, which :class:`LeastSquares`
    subtracts.  So samples can be projected once, and then be learned in several selections.
    """
    embeddings = dequantize(pool.raw[rows], pool.quantization)
    # Rounding errors are smaller if the mean is subtracted first.
    centered: FloatArray = embeddings - embeddings.mean(axis=0)
    if centered.shape[1] > _DIMENSION:
        shape = centered.shape[1], _DIMENSION
        centered = centered @ np.random.default_rng(0).standard_normal(shape, np.float32)
    return centered


def _features(projections: FloatArray) -> Floats:
    """Return the features of some samples, float64 ``[M, D]``; the last feature is constant."""
    features = projections.astype(np.float64)
    features -= features.mean(axis=0)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.hstack([features, np.ones((len(features), 1))])
