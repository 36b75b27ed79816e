# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which question makes room for others."""

from __future__ import annotations

from edgetpu_retrain.learning import FloatArray
from edgetpu_retrain.store.questions.spread import Spread
import numpy as np


def at(degrees: float) -> FloatArray:
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def spread_of(*angles: float) -> Spread:
    spread = Spread()
    for number, angle in enumerate(angles, 1):
        spread.add(number, at(angle))
    return spread


def test_the_one_that_is_nearest_to_another_is_deleted() -> None:
    # 2 and 3 are the nearest; 3 is nearer to the third, 4.
    assert spread_of(0, 30, 40, 60, 110, 170).to_delete() == 3


def test_the_newest_of_the_nearest_two_is_deleted() -> None:
    assert spread_of(0, 30, 60, 35).to_delete() == 4
    assert spread_of(30).to_delete() == 1


def test_the_smallest_distance_never_shrinks() -> None:
    rng = np.random.default_rng(3)
    spread, smallest = Spread(), 0.0
    vectors = rng.normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        spread.add(number, vector)
        if len(spread.ids) > 10:
            spread.keep(set(spread.ids) - {spread.to_delete()})
            kept = vectors[spread.ids]
            now = float((1 - kept @ kept.T + 3 * np.eye(10)).min())
            assert now >= smallest - 1e-6
            smallest = max(smallest, now)
    first = vectors[:10]
    assert smallest > 2 * float((1 - first @ first.T + 3 * np.eye(10)).min())


def test_an_embedding_of_zeros_has_no_direction() -> None:
    spread = spread_of(0)
    zeros = np.zeros(2, np.float32)
    assert spread.distances(zeros).tolist() == [1.0]
    spread.add(2, zeros)
    assert spread.distances(zeros).tolist() == [1.0, 0.0]
    spread.keep({2})
    assert spread.ids == [2]
    assert not spread_of().distances(zeros).size
