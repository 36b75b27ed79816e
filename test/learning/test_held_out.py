# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.held_out import (
    ALWAYS_TRAINED,
    Folds,
    hold_out,
    recording_counts,
    worst_unit,
)
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest


def independent(count: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal((count, 256), dtype=np.float32)


def drift(count: int, step: float, seed: int = 0) -> FloatArray:
    """Return frames of a burst: each is a small step away from the one before it."""
    rng = np.random.default_rng(seed)
    steps = step * rng.standard_normal((count, 256), dtype=np.float32)
    start = 3.0 * rng.standard_normal(256, dtype=np.float32)
    return np.cumsum(steps, axis=0, dtype=np.float32) + start


def chosen(
    labels: IntArray,
    recordings: IntArray | None = None,
    embeddings: FloatArray | None = None,
    seed: int = 0,
    folds: int = 5,
    share: float = 0.2,
) -> Folds:
    rows = EmbeddingRows(independent(len(labels)) if embeddings is None else embeddings)
    rng = np.random.default_rng(seed)
    return hold_out(rows, labels, recordings, rng, folds=folds, share=share)


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    share=st.floats(0.001, 0.999),
    seed=st.integers(0, 1000),
)
def test_one_fold_holds_out_the_share_of_each_class(
    counts: list[int], share: float, seed: int
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    folds = chosen(labels, seed=seed, folds=1, share=share)
    train, held_out = folds.trained_in(0), folds.evaluated_in(0)
    assert train.dtype == held_out.dtype == np.int64
    assert np.array_equal(np.sort(np.concatenate([train, held_out])), np.arange(len(labels)))
    for label, count in enumerate(counts):
        held = int(np.sum(labels[held_out] == label))
        if count < 2:
            assert held == 0
        else:
            assert 1 <= held <= count - 1
            assert abs(held - share * count) <= 1.0


@given(
    sizes=st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=7), min_size=2, max_size=4),
    shared=st.booleans(),
    folds=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_no_fold_divides_a_recording_or_leaves_a_class_untrained(
    sizes: list[list[int]], shared: bool, folds: int, seed: int
) -> None:
    labels, recordings = [], []
    for label, of_class in enumerate(sizes):
        for number, size in enumerate(of_class):
            labels += [label] * size
            recordings += [number if shared else 100 * label + number] * size
    truth, numbers = np.array(labels), np.array(recordings)
    found = chosen(truth, numbers, seed=seed, folds=folds)
    for label, of_class in enumerate(sizes):
        own = truth == label
        for fold in range(found.count):
            assert own[found.trained_in(fold)].any()
        if len(of_class) > 1:
            assert found.units[label] == 'recordings'
            assert found.evaluated[own].any()
            for number in np.unique(numbers[own]):
                assert len(set(found.fold_of[own & (numbers == number)])) == 1


def test_with_five_folds_every_sample_is_held_out_once() -> None:
    labels = np.repeat([0, 1, 2, 3], [10, 3, 2, 1])
    folds = chosen(labels)
    assert np.bincount(folds.fold_of[labels == 0]).tolist() == [2, 2, 2, 2, 2]
    assert len(set(folds.fold_of[labels == 1].tolist())) == 3
    assert len(set(folds.fold_of[labels == 2].tolist())) == 2
    assert folds.fold_of[labels == 3].tolist() == [ALWAYS_TRAINED]
    assert folds.units == ('blocks', 'frames', 'frames', None)
    assert folds.unit == 'frames'


def test_the_generator_decides_and_half_a_sample_rounds_up() -> None:
    labels = np.repeat([0, 1], 10)
    parts = [chosen(labels, seed=n, folds=1, share=0.25).evaluated_in(0) for n in (3, 3, 4)]
    assert np.array_equal(parts[0], parts[1])
    assert not np.array_equal(parts[0], parts[2])
    assert np.bincount(labels[parts[0]]).tolist() == [3, 3]


def test_recordings_of_a_day_are_held_out_together() -> None:
    # Two days of three classes; on the second, class 2 is new.
    labels = np.array([0, 0, 1, 1, 0, 0, 1, 1, 2, 2])
    by_day = np.array([7, 7, 7, 7, 8, 8, 8, 8, 8, 8])
    assert chosen(labels, by_day, folds=2).fold_of[:8].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    each_of_its_own = np.array([1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    folds = chosen(labels, each_of_its_own, folds=2)
    assert folds.fold_of[:8].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert folds.units == ('recordings', 'recordings', 'frames')


def test_a_recording_that_is_most_of_its_class_is_not_held_out() -> None:
    labels, recordings = np.repeat([0, 1], 33), np.tile(np.repeat([0, 1], [30, 3]), 2)
    folds = chosen(labels, recordings)
    assert (folds.fold_of[recordings == 0] == ALWAYS_TRAINED).all()
    assert (folds.fold_of[recordings == 1] == 0).all()
    assert np.array_equal(folds.evaluated, recordings == 1)


def test_of_a_single_recording_contiguous_blocks_are_held_out() -> None:
    folds = chosen(np.repeat([0, 1], 30))
    assert folds.unit == 'blocks'
    for members in (folds.fold_of[:30], folds.fold_of[30:]):
        assert np.count_nonzero(np.diff(members)) == 4
        assert np.bincount(members).tolist() == [6] * 5


def test_near_copies_of_what_is_trained_are_not_evaluated() -> None:
    labels = np.repeat([0, 1], 60)
    slow = np.concatenate([drift(60, 1.0), drift(60, 1.0, seed=1)])
    folds = chosen(labels, embeddings=slow)
    assert folds.unit == 'blocks'
    assert (folds.fold_of >= 0).all()
    starts = np.flatnonzero(np.diff(folds.fold_of[:60]))
    assert not folds.evaluated[starts].any()
    assert not folds.evaluated[starts + 1].any()
    assert folds.evaluated[starts[:-1] + 6].all()


def test_of_near_copies_only_single_frames_are_held_out() -> None:
    still = np.concatenate([drift(40, 0.001), independent(40)])
    folds = chosen(np.repeat([0, 1], 40), embeddings=still)
    assert folds.units == ('frames', 'blocks')
    assert folds.unit == 'frames'
    assert np.count_nonzero(np.diff(folds.fold_of[:40])) > 8
    assert folds.evaluated.all()


def test_many_recordings_are_held_out_by_their_share() -> None:
    labels, recordings = np.repeat([0, 1], 100), np.arange(200) // 5
    folds = chosen(labels, recordings, folds=1)
    assert np.bincount(labels[folds.evaluated_in(0)]).tolist() == [20, 20]
    assert folds.unit == 'recordings'


def test_recordings_are_counted_by_class() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    assert recording_counts(labels, np.array([4, 4, 4, 5, 4])).tolist() == [1, 2]
    assert recording_counts(labels, None).tolist() == [1, 1]


def test_the_worst_unit_counts() -> None:
    assert worst_unit(('recordings', None)) == 'recordings'
    assert worst_unit(('recordings', 'frames', 'blocks')) == 'frames'
    assert worst_unit(()) == 'frames'


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_all_embeddings_may_be_equal(dtype: type) -> None:
    if dtype is np.uint8:
        rows = EmbeddingRows(np.full((20, 4), 7, np.uint8), 0.5, 3)
    else:
        rows = EmbeddingRows(np.ones((20, 4), np.float32))
    folds = hold_out(rows, np.repeat([0, 1], 10), None, np.random.default_rng(0))
    assert folds.evaluated.all()
