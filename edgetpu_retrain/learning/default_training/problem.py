# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Problem: the samples and options that all runs of a training share."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.learning.default_training.conditioning import (
    Conditioning,
    FeatureRows,
    largest_eigenvalue,
)
from edgetpu_retrain.learning.default_training.progress_relay import ProgressRelay
from edgetpu_retrain.learning.default_training.recipe import Recipe
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.sgd.sampling import BalancedOrder
import numpy as np

# Fewer held-out samples than this do not suffice for early stopping and calibration.
_FEWEST_HELD_OUT = 50

# Maximum number of rows from which the conditioning is computed; with more classes than this, one
# row of each class.
_SAMPLE_ROWS = 1024
# Maximum number of rows from which the largest eigenvalue is computed.
_EIGENVALUE_ROWS = 512


@dataclass(frozen=True, eq=False)
class Problem:
    """
    The samples and options that all runs share.

    Args:
        rows: the embeddings of all samples.
        features: their conditioned features.
        labels: int64 ``[N]``, their classes.
        recordings: int64 ``[N]``, their recordings; None = each class is one recording.
        num_classes: C.
        eigenvalue: the largest eigenvalue of the features' covariance.
        sample: int64 ``[S]``, the rows that conditioned the features, about equally many of each
            class; training accuracy is measured on them.
        recipe: the hyperparameters.
        progress: receives progress reports, and can stop a run.
        warm: whether the final training starts from an earlier head.
        rng: random generator of all runs.
    """

    rows: EmbeddingRows
    features: FeatureRows
    labels: IntArray
    recordings: IntArray | None
    num_classes: int
    eigenvalue: float
    sample: IntArray
    recipe: Recipe
    progress: ProgressRelay
    warm: bool
    rng: np.random.Generator

    @classmethod
    def of(
        cls,
        rows: EmbeddingRows,
        labels: IntArray,
        recordings: IntArray | None,
        num_classes: int,
        recipe: Recipe,
        progress: ProgressRelay,
        rng: np.random.Generator,
        *,
        warm: bool,
    ) -> Problem:
        """Return a problem whose conditioning is computed from a selection of all samples."""
        every = np.arange(len(labels))
        features, eigenvalue, sample = _conditioned(
            rows, labels, every, num_classes, rng, reduced=not warm
        )
        return cls(
            rows,
            features,
            labels,
            recordings,
            num_classes,
            eigenvalue,
            sample,
            recipe,
            progress,
            warm,
            rng,
        )

    def conditioned_by(self, rows: IntArray) -> Problem:
        """
        Return a copy of the problem whose conditioning is computed from the given samples only.

        Conditioning shrinks the directions along which the samples of a class differ most, such as
        the directions between recordings.  If held-out samples were included, their evaluation
        would be too good.

        Args:
            rows: int64 ``[M]``, the samples from which the conditioning may be computed.
        """
        features, eigenvalue, sample = _conditioned(
            self.rows, self.labels, rows, self.num_classes, self.rng, reduced=not self.warm
        )
        return replace(self, features=features, eigenvalue=eigenvalue, sample=sample)

    @property
    def few_samples(self) -> bool:
        """Whether there are too few samples for a held-out split."""
        return len(self.labels) * self.recipe.held_out_share < _FEWEST_HELD_OUT

    def iterations(self, count: int) -> int:
        """Return the number of iterations of a training on ``count`` samples."""
        few, warm = self.few_samples, self.warm
        return self.recipe.iterations(count, self.num_classes, few=few, warm=warm)


def _conditioned(
    rows: EmbeddingRows,
    labels: IntArray,
    among: IntArray,
    num_classes: int,
    rng: np.random.Generator,
    *,
    reduced: bool,
) -> tuple[FeatureRows, float, IntArray]:
    """
    Return the features of all rows, conditioned by a balanced selection from ``among``.

    Returns:
        The features, the largest eigenvalue of their covariance, and the rows that conditioned
        them.
    """
    sample = _sample(among, labels[among], num_classes, rng)
    many = FeatureRows.are_many(rows)
    conditioning = Conditioning.from_sample(rows.floats(sample), labels[sample], of_many=many)
    features = FeatureRows(rows, conditioning, reduced=reduced)
    return features, largest_eigenvalue(features[sample[:_EIGENVALUE_ROWS]]), sample


def _sample(
    among: IntArray, labels: IntArray, num_classes: int, rng: np.random.Generator
) -> IntArray:
    """Return about equally many rows of each class; rows of small classes are repeated."""
    most = int(np.bincount(labels).max())
    count = min(max(_SAMPLE_ROWS, num_classes), num_classes * most)
    return BalancedOrder(among, labels, rng).following(count)
