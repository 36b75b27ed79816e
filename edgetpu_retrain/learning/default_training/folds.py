# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stratified folds for cross-validation."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import IntArray
import numpy as np

# Marks the sample of a class that has only one: it stays in training.
ALWAYS_TRAINED = -1


def stratified_folds(labels: IntArray, folds: int, rng: np.random.Generator) -> IntArray:
    """
    Assign the samples of each class evenly to folds.

    Args:
        labels: int64 ``[N]``, class indices.
        folds: number of folds, 2 or more.
        rng: random generator for the assignment.

    Returns:
        int64 ``[N]``, the fold (0, 1, ...) in which each row is held out, or ALWAYS_TRAINED.

    >>> folds = stratified_folds(np.array([0, 0, 1, 1, 2]), 2, np.random.default_rng(0))
    >>> sorted(folds[:2].tolist()), sorted(folds[2:4].tolist()), int(folds[4])
    ([0, 1], [0, 1], -1)
    """
    fold = np.full(len(labels), ALWAYS_TRAINED, np.int64)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) > 1:
            # Start each class at a random fold, or small classes would all share the first.
            fold[rows] = (np.arange(len(rows)) + rng.integers(folds)) % folds
    return fold
