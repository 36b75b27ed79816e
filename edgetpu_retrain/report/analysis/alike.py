# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Assigns samples to folds so that similar frames do not confirm each other's labels.

If a few frames of a burst show something different from the rest, these few are alike and have the
same wrong label.  A head that is trained on one of them would confirm the label of the others, so
all of them are held out in one fold.
"""

from __future__ import annotations

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.held_out import (
    ALWAYS_TRAINED,
    near_copy_limit,
    squared_distances,
)
import numpy as np

# Samples are alike if their squared distance is below this many times the limit for near copies.
# Measured with EfficientNet-Lite0: 99 % of the frames of a burst are closer than this to another
# frame of the burst.  95 % of the frames of other objects, and of other photographs of the same
# object, are farther than this from the burst.
_ALIKE = 3.0

# A group with a larger share of its class is divided, because too few samples would be left to
# train on.
_LARGEST_SHARE = 0.5

# Maximum number of rows whose distances are computed at a time.
_BLOCK_ROWS = 512


def folds_by_likeness(
    rows: EmbeddingRows, labels: IntArray, folds: int, rng: np.random.Generator
) -> IntArray:
    """
    Assign the samples of each class to folds; samples that are alike get the same fold.

    If a group of such samples has more than half of the samples of a class, the samples in the
    group are assigned one by one.

    Args:
        rows: the embeddings of N samples.
        labels: int64 ``[N]``, their classes.
        folds: number of folds, 2 or more.
        rng: random generator; the same state gives the same folds.

    Returns:
        int64 ``[N]``, the fold (0, 1, ...) in which each sample is held out, or ALWAYS_TRAINED for
        the only sample of a class.
    """
    limit = _ALIKE * near_copy_limit(rows)
    fold_of = np.full(len(labels), ALWAYS_TRAINED, np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) > 1:
            groups = alike(rows, members, limit)
            sizes = np.bincount(groups)
            alone = sizes[groups] > _LARGEST_SHARE * len(members)
            groups[alone] = len(sizes) + np.arange(np.count_nonzero(alone))
            fold_of[members] = _dealt(groups, folds, rng)
    return fold_of


def alike(rows: EmbeddingRows, members: IntArray, limit: float) -> IntArray:
    """
    Group samples that are alike, directly or through a chain of other samples.

    Args:
        rows: the embeddings.
        members: int64 ``[M]``, the rows of the samples to group.
        limit: the squared distance below which two samples are alike.

    Returns:
        The group of each member, int64 ``[M]``: 0, 1, ...
    """
    embeddings = rows.floats(members)
    group_of = np.empty(len(members), np.int64)
    left, group = np.arange(len(members)), 0
    while len(left):
        reached, left = left[:1], left[1:]
        while len(reached):
            # Compare a block at a time to limit memory: a group may be a long recording.
            now, reached = reached[:_BLOCK_ROWS], reached[_BLOCK_ROWS:]
            group_of[now] = group
            if len(left):
                distances = squared_distances(embeddings[left], embeddings[now])
                near = distances.min(axis=1) < limit
                reached, left = np.concatenate([reached, left[near]]), left[~near]
        group += 1
    return group_of


def _dealt(groups: IntArray, folds: int, rng: np.random.Generator) -> IntArray:
    """
    Return the fold of each sample.

    The groups are assigned in random order, each to the fold that has the fewest samples so far.
    """
    _, groups, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    # Shuffle the folds.  Otherwise, all small classes would be in the first folds.
    turn = rng.permutation(folds)
    filled = np.zeros(folds, np.int64)
    fold_of = np.empty(len(sizes), np.int64)
    for group in rng.permutation(len(sizes)):
        emptiest = int(np.argmin(filled))
        fold_of[group] = turn[emptiest]
        filled[emptiest] += sizes[group]
    return fold_of[groups]
