# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning.sgd.sampling import BalancedOrder, Batches, batches
import numpy as np
import pytest


def with_replacement(count: int, batch_size: int, seed: int = 0) -> Batches:
    embeddings = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
    rng = np.random.default_rng(seed)
    return batches(
        embeddings, 10 * np.arange(count), batch_size, lambda rows: rng.integers(count, size=rows)
    )


def test_every_label_goes_with_its_embedding() -> None:
    drawing = with_replacement(7, 5)
    for _ in range(200):
        embeddings, labels = next(drawing)
        assert embeddings.dtype == np.float32
        assert np.array_equal(embeddings[:, 0], labels / 5)


def test_every_row_is_about_equally_likely_and_rows_repeat_within_a_batch() -> None:
    drawing = with_replacement(5, 100)
    counts = np.zeros(5)
    for _ in range(200):
        _, labels = next(drawing)
        counts += np.bincount(labels // 10, minlength=5)
    assert counts.sum() == 20_000
    assert counts == pytest.approx([4000.0] * 5, abs=250)


def test_the_seed_decides_the_batches() -> None:
    first, again, other = (with_replacement(50, 8, seed) for seed in (1, 1, 2))
    drawn = [np.array([next(drawing)[1] for _ in range(300)]) for drawing in (first, again, other)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert len(np.unique(drawn[0], axis=0)) == 300


def test_a_batch_larger_than_what_is_drawn_ahead() -> None:
    embeddings, labels = next(with_replacement(3, 100_000))
    assert embeddings.shape == (100_000, 2)
    assert set(labels.tolist()) == {0, 10, 20}


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


def test_a_class_is_used_up_before_it_starts_again_however_much_is_asked_for() -> None:
    order = order_of([0] * 5 + [1])
    drawn = np.concatenate([order.following(count) for count in (2, 60, 6, 4, 10, 118)])
    passes = drawn[drawn < 50].reshape(-1, 5)
    assert (np.sort(passes) == 10 * np.arange(5)).all()
    assert len(np.unique(passes, axis=0)) > 10


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


def test_the_seed_decides_the_order() -> None:
    labels = [0] * 20 + [1] * 30
    same = [order_of(labels, seed).following(64).tolist() for seed in (5, 5, 6)]
    assert same[0] == same[1] != same[2]


@pytest.mark.parametrize('batch_size', [3, 70_000])
def test_batches_hold_embeddings_and_labels_of_the_drawn_rows(batch_size: int) -> None:
    embeddings = np.arange(12, dtype=np.float32).reshape(6, 2)
    labels = np.array([0, 0, 1, 1, 2, 2])
    order = BalancedOrder(np.array([0, 2, 4]), np.arange(3), np.random.default_rng(0))
    drawn = batches(embeddings, labels, batch_size, order.following)
    for _ in range(3):
        batch, batch_labels = next(drawn)
        assert batch.shape == (batch_size, 2)
        rows = (batch[:, 0] / 2).astype(int)
        assert set(rows.tolist()) == {0, 2, 4}
        assert np.array_equal(labels[rows], batch_labels)
