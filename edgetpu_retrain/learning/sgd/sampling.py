# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Batches of samples, and a random order of rows in which classes take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
import numpy as np

# Drawing the rows of many batches at once takes a tenth of the time of drawing them per batch.
_BATCHES_A_DRAW = 64
# Maximum number of rows drawn at once, to limit memory if batches are large.
_ROWS_A_DRAW = 2**16

Batches = Iterator[tuple[FloatArray, IntArray]]
"""Embeddings, float32 ``[B, D]``, and labels, int64 ``[B]``; B is the same for all batches."""


def batches(
    embeddings: Any, labels: IntArray, batch_size: int, draw_rows: Callable[[int], IntArray]
) -> Batches:
    """
    Yield batches endlessly.

    Args:
        embeddings: the embeddings or features of N samples, a float32 matrix or FeatureRows.
        labels: int64 ``[N]``.
        batch_size: B; it may exceed N.
        draw_rows: returns the next rows to use, as many as requested.

    >>> rng = np.random.default_rng(0)
    >>> identity = np.eye(3, dtype=np.float32)
    >>> drawn = batches(identity, np.arange(3), 5, lambda count: rng.integers(3, size=count))
    >>> embeddings, labels = next(drawn)
    >>> embeddings.shape, labels.shape
    ((5, 3), (5,))
    """
    ahead = max(1, min(_BATCHES_A_DRAW, _ROWS_A_DRAW // batch_size))
    while True:
        for rows in draw_rows(ahead * batch_size).reshape(ahead, batch_size):
            yield embeddings[rows], labels[rows]


class BalancedOrder:
    """
    An endless order of rows in which classes take turns.

    Each turn has one row of every class, in random order.  The rows of a class are shuffled, and
    each row is used once before any is repeated.  With classes of equal size, each epoch visits
    each row once.

    Args:
        rows: int64 ``[M]``, the rows to order.
        groups: int64 ``[M]``, the class of each row; class numbers may have gaps.
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
        """Return the next ``count`` rows, int64 ``[count]``."""
        missing = count - len(self._left)
        if missing > 0:
            self._left = np.concatenate([self._left, self._turns(missing)])
        rows, self._left = self._left[:count], self._left[count:]
        return rows

    def _turns(self, count: int) -> IntArray:
        """Return the rows of complete turns, at least ``count`` rows."""
        classes = len(self._members)
        turns = -(-count // classes)
        order = np.tile(np.arange(classes), (turns, 1))
        self._rng.permuted(order, axis=1, out=order)
        # Element [c, t] is the position, in the flattened order, of class c in turn t.
        places = np.argsort(order.reshape(-1), kind='stable').reshape(classes, turns)
        rows = np.empty(classes * turns, np.int64)
        for number in range(classes):
            rows[places[number]] = self._of_class(number, turns)
        return rows

    def _of_class(self, number: int, count: int) -> IntArray:
        members: IntArray = self._members[number]
        used = self._used[number]
        passes = -(-(used + count - len(members)) // len(members))
        if passes > 0:
            # For small classes, shuffling all repetitions at once takes a tenth of the time of
            # shuffling them one by one.
            following = np.tile(members, (passes, 1))
            self._rng.permuted(following, axis=1, out=following)
            rows: IntArray = np.concatenate([members[used:], following.reshape(-1)])[:count]
            self._members[number] = following[-1]
            self._used[number] = used + count - passes * len(members)
            return rows
        end = self._used[number] = used + count
        return members[used:end]
