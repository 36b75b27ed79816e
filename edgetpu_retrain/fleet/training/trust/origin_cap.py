# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits the share of a class that may come from one other robot."""

from __future__ import annotations

from edgetpu_retrain.fleet.training.pool import BoolArray, Pool
from edgetpu_retrain.learning import IntArray
import numpy as np

LARGEST_SHARE = 0.5
"""Default of the largest share of a class that may come from one other robot."""

FEWEST_KEPT = 100
"""How many samples of a class may come from a robot in any case: enough to learn the class."""


def over_the_cap(pool: Pool, rows: IntArray, largest_share: float = LARGEST_SHARE) -> BoolArray:
    """
    Return which samples to leave out so that no other robot dominates a class.

    A class that only one robot has taught has no limit, because a limit would only make the head
    worse.

    Args:
        pool: all samples.
        rows: int64 ``[M]``, the samples to train on.
        largest_share: largest share of a class from one other robot, above 0; 1 = no limit.

    Returns:
        bool ``[M]``, True = leave out.  Of each robot, the samples with the smallest ids stay;
        because ids are hashes, this choice is as good as random.
    """
    over = np.zeros(len(rows), bool)
    labels, origins = pool.labels[rows], np.where(pool.is_own[rows], -1, pool.origins[rows])
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        sources, source_of, sizes = np.unique(
            origins[members], return_inverse=True, return_counts=True
        )
        if len(sources) == 1:
            continue
        limit = _limit(sizes, sources == -1, largest_share)
        for number in np.flatnonzero((sizes > limit) & (sources != -1)):
            own = members[source_of == number]
            # The first 8 bytes of the ids, big-endian, so that their order is that of the ids.
            first = pool.ids[rows[own]][:, :8].copy().view('>u8').reshape(-1)
            over[own[np.argsort(first, kind='stable')[limit:]]] = True
    return over


def _limit(sizes: IntArray, exempt: BoolArray, share: float) -> int:
    """
    Return the largest number of samples of a class that an origin may have.

    Args:
        sizes: int64 ``[K]``, how many samples each origin has.
        exempt: bool ``[K]``, the origins without a limit.
        share: the largest share.
    """
    low, high = FEWEST_KEPT, max(int(sizes.max()), FEWEST_KEPT)
    while low < high:
        middle = (low + high + 1) // 2
        kept = np.where(exempt, sizes, np.minimum(sizes, middle))
        # The share of the largest origin grows with the limit, so a binary search finds the limit.
        if middle <= share * kept.sum():
            low = middle
        else:
            high = middle - 1
    return low
