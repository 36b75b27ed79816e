# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stratified split into training and held-out samples."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import IntArray
import numpy as np

# Marks the only sample of a class, which is never held out.
ALWAYS_TRAINED = -1


def stratified_split(
    labels: IntArray, fraction: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """
    Hold out about the same share of every class.

    A class with a single sample is not held out.  All other classes have at least one sample in
    each part.

    Args:
        labels: int64 ``[N]``, the samples' class indices.
        fraction: share of each class to hold out, above 0 and below 1.
        rng: random generator; the same state gives the same split.

    Returns:
        The training rows and the held-out rows, both int64 and ascending.

    >>> labels = np.repeat([0, 1, 2], [10, 5, 1])
    >>> train, held_out = stratified_split(labels, 0.2, np.random.default_rng(0))
    >>> print('held out per class:', np.bincount(labels[held_out], minlength=3))
    held out per class: [2 1 0]
    """
    held_out = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) > 1:
            # Rounds half up, unlike round(), which rounds half to even.
            count = min(max(int(fraction * len(rows) + 0.5), 1), len(rows) - 1)
            held_out[rng.permutation(rows)[:count]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


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
