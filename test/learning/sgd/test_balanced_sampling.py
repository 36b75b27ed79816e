# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning.default_training.conditioning import Conditioning, FeatureRows
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.sgd.balanced_sampling import BalancedOrder, BalancedSampler
import numpy as np
import pytest


def order_of(labels: list[int], seed: int = 0) -> BalancedOrder:
    rows = 10 * np.arange(len(labels))
    return BalancedOrder(rows, np.array(labels), np.random.default_rng(seed))


def test_even_classes_come_in_plain_epochs() -> None:
    order = order_of([0, 1, 2] * 4)
    first, second = order.following(12), order.following(12)
    assert sorted(first) == sorted(second) == [10 * row for row in range(12)]
    assert first.tolist() != second.tolist()


def test_uneven_classes_come_equally_often() -> None:
    labels = [0] * 100 + [1]
    rows = order_of(labels).following(200)
    assert np.count_nonzero(rows == 1000) == 100
    # Of the large class every sample comes once before any comes again.
    assert len(set(rows.tolist())) == 101


def test_classes_take_turns() -> None:
    labels = np.array([4, 4, 4, 7, 9, 9])
    drawn = labels[order_of(labels.tolist()).following(300) // 10]
    for turn in drawn.reshape(100, 3):
        assert sorted(turn) == [4, 7, 9]


def test_the_order_does_not_depend_on_how_many_are_asked_for() -> None:
    # Classes take whole turns; what was not asked for yet is not lost.
    order = order_of([0, 1, 2, 1, 0])
    parts = np.concatenate([order.following(count) for count in (1, 4, 10)])
    assert np.bincount(parts // 10, minlength=5)[2] == 5


def test_the_seed_decides() -> None:
    labels = [0] * 20 + [1] * 30
    same = [order_of(labels, seed).following(64).tolist() for seed in (5, 5, 6)]
    assert same[0] == same[1] != same[2]


@pytest.mark.parametrize('batch_size', [3, 70_000])
def test_batches_hold_features_and_labels_of_the_same_rows(batch_size: int) -> None:
    embeddings = np.arange(12, dtype=np.float32).reshape(6, 2)
    labels = np.array([0, 0, 1, 1, 2, 2])
    identity = Conditioning.scaling(np.zeros(2, np.float32), np.ones(2, np.float32))
    features = FeatureRows(EmbeddingRows(embeddings), identity)
    order = BalancedOrder(np.array([0, 2, 4]), np.arange(3), np.random.default_rng(0))
    sampler = BalancedSampler(features, labels, order, batch_size)
    for _ in range(3):
        batch, batch_labels = sampler.draw()
        assert batch.shape == (batch_size, 2)
        rows = (batch[:, 0] / 2).astype(int)
        assert set(rows.tolist()) == {0, 2, 4}
        assert np.array_equal(labels[rows], batch_labels)
