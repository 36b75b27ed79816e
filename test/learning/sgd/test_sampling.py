# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning import ReplacementSampler
import numpy as np
import pytest


def sampler(count: int, batch_size: int, seed: int = 0) -> ReplacementSampler:
    embeddings = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
    return ReplacementSampler(
        embeddings, np.arange(count) * 10, batch_size, np.random.default_rng(seed)
    )


def test_every_label_goes_with_its_embedding() -> None:
    drawing = sampler(7, 5)
    for _ in range(200):
        embeddings, labels = drawing.draw()
        assert embeddings.dtype == np.float32
        assert np.array_equal(embeddings[:, 0], labels / 5)


def test_every_row_is_about_equally_likely_and_rows_repeat_within_a_batch() -> None:
    drawing = sampler(5, 100)
    counts = np.zeros(5)
    for _ in range(200):
        _, labels = drawing.draw()
        counts += np.bincount(labels // 10, minlength=5)
    assert counts.sum() == 20_000
    assert counts == pytest.approx([4000.0] * 5, abs=250)


def test_the_seed_decides_the_batches() -> None:
    first, again, other = sampler(50, 8, seed=1), sampler(50, 8, seed=1), sampler(50, 8, seed=2)
    drawn = [
        np.array([drawing.draw()[1].copy() for _ in range(300)])
        for drawing in (first, again, other)
    ]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert len(np.unique(drawn[0], axis=0)) == 300


def test_a_batch_larger_than_what_is_drawn_ahead() -> None:
    embeddings, labels = sampler(3, 100_000).draw()
    assert embeddings.shape == (100_000, 2)
    assert set(labels.tolist()) == {0, 10, 20}
