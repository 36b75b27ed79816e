# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning.default_training.split import stratified_split
from hypothesis import given
from hypothesis import strategies as st
import numpy as np


@given(
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any),
    fraction=st.floats(0.001, 0.999),
    seed=st.integers(0, 1000),
)
def test_each_class_is_split_by_its_share(counts: list[int], fraction: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    train, held_out = stratified_split(labels, fraction, rng)

    assert train.dtype == held_out.dtype == np.int64
    together = np.concatenate([train, held_out])
    assert np.array_equal(np.sort(together), np.arange(len(labels)))
    assert np.array_equal(train, np.sort(train))
    for label, count in enumerate(counts):
        held = int(np.sum(labels[held_out] == label))
        if count < 2:
            assert held == 0
        else:
            assert 1 <= held <= count - 1
            assert abs(held - fraction * count) <= 1.0


def test_the_generator_decides_and_half_a_sample_rounds_up() -> None:
    labels = np.repeat([0, 1], 10)
    splits = [stratified_split(labels, 0.25, np.random.default_rng(seed))[1] for seed in (3, 3, 4)]
    assert np.array_equal(splits[0], splits[1])
    assert not np.array_equal(splits[0], splits[2])
    assert np.bincount(labels[splits[0]]).tolist() == [3, 3]
