# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Sampling with replacement, as in Coral's recipe."""

from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
import numpy as np

# Drawing many batches at once takes a tenth of the time of drawing each.
_BATCHES_A_DRAW = 64


class ReplacementSampler:
    """
    Draw batches with replacement, as Coral does.

    Every row is equally likely at every draw; a batch may be larger than the data.

    Args:
        embeddings: float32 ``[N, D]``.
        labels: int64 ``[N]``.
        batch_size: rows per batch.
        rng: random generator.

    >>> rng = np.random.default_rng(0)
    >>> sampler = ReplacementSampler(np.eye(3, dtype=np.float32), np.arange(3), 5, rng)
    >>> embeddings, labels = sampler.draw()
    >>> embeddings.shape, labels.shape
    ((5, 3), (5,))
    """

    def __init__(
        self,
        embeddings: FloatArray,
        labels: IntArray,
        batch_size: int,
        rng: np.random.Generator,
    ) -> None:
        self.batch_size = batch_size
        self._embeddings = embeddings
        self._labels = labels
        self._rng = rng
        self._rows = np.empty((0, batch_size), dtype=np.int64)
        self._next = 0
        self._batch = np.empty((batch_size, embeddings.shape[1]), dtype=np.float32)
        self._batch_labels = np.empty(batch_size, dtype=np.int64)

    def draw(self) -> tuple[FloatArray, IntArray]:
        """Return the next batch, ``[B, D]`` and ``[B]``; the following draw overwrites it."""
        if self._next == len(self._rows):
            # Bound the memory of the indices when batches are large.
            ahead = max(1, min(_BATCHES_A_DRAW, 2**16 // self.batch_size))
            count = len(self._embeddings)
            self._rows = self._rng.integers(0, count, size=(ahead, self.batch_size))
            self._next = 0
        rows = self._rows[self._next]
        self._next += 1
        # 'clip' writes directly into the buffer; 'raise' would fill a copy first.
        self._embeddings.take(rows, axis=0, out=self._batch, mode='clip')
        self._labels.take(rows, out=self._batch_labels, mode='clip')
        return self._batch, self._batch_labels
