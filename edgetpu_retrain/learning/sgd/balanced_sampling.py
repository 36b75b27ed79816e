# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Class-balanced sampling in shuffled epochs."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.conditioning import FeatureRows
import numpy as np

# Planning many batches at once is far cheaper than planning each.
_BATCHES_A_PLAN = 64


class BalancedOrder:
    """
    An endless order of rows in which classes take turns.

    Each turn visits all classes in random order.  The rows of a class are shuffled, and each is
    used once before any repeats.  With classes of equal size these are plain shuffled epochs.
    Construction takes time proportional to the number of rows, drawing does not.

    Args:
        rows: int64 ``[M]``, the rows to order.
        groups: int64 ``[M]``, the class of each; class numbers may have gaps.
        rng: random generator.

    >>> order = BalancedOrder(np.arange(4), np.array([0, 0, 0, 1]), np.random.default_rng(0))
    >>> print('of class 1:', int((order.following(100) == 3).sum()), 'in 100')
    of class 1: 50 in 100
    """

    def __init__(self, rows: IntArray, groups: IntArray, rng: np.random.Generator) -> None:
        self._rng = rng
        by_class = rows[np.argsort(groups, kind='stable')]
        sizes = np.bincount(groups)
        self._members = [m for m in np.split(by_class, np.cumsum(sizes)[:-1]) if len(m)]
        for members in self._members:
            rng.shuffle(members)
        self._used = [0] * len(self._members)
        self._left = np.empty(0, np.int64)

    def following(self, count: int) -> IntArray:
        """Return the next count rows, int64."""
        missing = count - len(self._left)
        if missing > 0:
            self._left = np.concatenate([self._left, self._turns(missing)])
        rows, self._left = self._left[:count], self._left[count:]
        return rows

    def _turns(self, count: int) -> IntArray:
        """Return complete turns with at least count rows."""
        classes = len(self._members)
        turns = -(-count // classes)
        order = np.tile(np.arange(classes), (turns, 1))
        self._rng.permuted(order, axis=1, out=order)
        # Element c * turns + t of the argsort is the position of class c in turn t.
        places = np.argsort(order.reshape(-1), kind='stable').reshape(classes, turns)
        rows = np.empty(classes * turns, np.int64)
        for number in range(classes):
            rows[places[number]] = self._of_class(number, turns)
        return rows

    def _of_class(self, number: int, count: int) -> IntArray:
        members, used = self._members[number], self._used[number]
        parts = []
        while count:
            end = used + count
            part = members[used:end].copy()
            parts.append(part)
            count -= len(part)
            used += len(part)
            if used == len(members):
                self._rng.shuffle(members)
                used = 0
        self._used[number] = used
        return np.concatenate(parts)


class BalancedSampler:
    """
    Draw batches of features in a given order of rows.

    Args:
        features: the features to draw from.
        labels: int64 ``[N]``, the class of each row.
        order: the order of rows.
        batch_size: rows per batch.
    """

    def __init__(
        self, features: FeatureRows, labels: IntArray, order: BalancedOrder, batch_size: int
    ) -> None:
        self._features = features
        self._labels = labels
        self._order = order
        self._plan = np.empty((0, batch_size), np.int64)
        self._next = 0
        self._batch = np.empty((batch_size, features.feature_dim), np.float32)
        self._batch_labels = np.empty(batch_size, np.int64)

    def draw(self) -> tuple[FloatArray, IntArray]:
        """Return the next batch, ``[B, D]`` and ``[B]``; the following draw overwrites it."""
        batch_size = len(self._batch)
        if self._next == len(self._plan):
            # Bound the memory of the plan when batches are large.
            ahead = max(1, min(_BATCHES_A_PLAN, 2**16 // batch_size))
            self._plan = self._order.following(ahead * batch_size).reshape(ahead, batch_size)
            self._next = 0
        rows = self._plan[self._next]
        self._next += 1
        self._features.take(rows, self._batch)
        self._labels.take(rows, out=self._batch_labels, mode='clip')
        return self._batch, self._batch_labels
