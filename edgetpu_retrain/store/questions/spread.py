# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Spread: selects the questions to delete, so that the others are far from each other.

If there are too many questions, one of the two that are nearest to each other is deleted.  If the
newest question is one of the two, it is deleted.  So replacing a question with a new one never
reduces the smallest distance between two questions.
"""

from __future__ import annotations

from collections.abc import Collection

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.store.samples.newest_vectors import cosine_distances
import numpy as np


class Spread:
    """
    The embeddings of the open questions as unit vectors, and the distances between them.

    Attributes:
        ids: the ids of the questions.
    """

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._vectors: list[FloatArray] = []
        # float32 [N, N], with infinity on the diagonal.
        self._distances = np.empty((0, 0), np.float32)

    def add(self, question_id: int, vector: FloatArray) -> None:
        """Add a question with its embedding, a vector ``[D]`` of length 1 or 0."""
        row = np.append(self.distances(vector), np.float32(np.inf))
        grown = np.full((len(row), len(row)), np.inf, np.float32)
        grown[:-1, :-1] = self._distances
        grown[-1], grown[:, -1] = row, row
        self._distances = grown
        self.ids.append(question_id)
        self._vectors.append(vector)

    def keep(self, ids: Collection[int]) -> None:
        """Remove all questions except those with the given ids."""
        kept = [index for index, each in enumerate(self.ids) if each in ids]
        self.ids = [self.ids[index] for index in kept]
        self._vectors = [self._vectors[index] for index in kept]
        self._distances = self._distances[np.ix_(kept, kept)]

    def distances(self, vector: FloatArray) -> FloatArray:
        """Return the cosine distance of a vector ``[D]`` to each question, float32 ``[N]``."""
        if not self.ids:
            return np.empty(0, np.float32)
        return cosine_distances(np.stack(self._vectors), vector)

    def to_delete(self) -> int:
        """Return the id of the question to delete if there are too many questions."""
        first, second = (*np.argsort(self._distances.min(axis=1), kind='stable'), 0)[:2]
        newest = len(self.ids) - 1
        if newest in (first, second):
            return self.ids[newest]
        # Of the two nearest to each other, delete the one that is nearer to a third question.
        rests = [np.sort(self._distances[index])[1] for index in (first, second)]
        return self.ids[int(first if rests[0] <= rests[1] else second)]
