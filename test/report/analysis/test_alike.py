# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames of one view are held out together."""

from __future__ import annotations

from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
from edgetpu_retrain.learning.held_out import near_copy_limit
from edgetpu_retrain.report.analysis import alike as module
from edgetpu_retrain.report.analysis.alike import alike, folds_by_likeness
import numpy as np
import pytest


def views(sizes: list[int], seed: int = 0) -> EmbeddingRows:
    """Return frames of so many views, each close to the others of its view."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((len(sizes), 64))
    view_of = np.repeat(np.arange(len(sizes)), sizes)
    return EmbeddingRows(centers[view_of] + 0.1 * rng.standard_normal((len(view_of), 64)))


@pytest.mark.parametrize('block', [512, 3])
def test_samples_of_one_view_are_a_group(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, '_BLOCK_ROWS', block)
    rows = views([10, 1, 5])
    order = np.random.default_rng(1).permutation(16)
    groups = np.empty(16, np.int64)
    groups[order] = alike(rows, order, near_copy_limit(rows))
    assert len(set(groups.tolist())) == 3
    for view in (range(10), range(10, 11), range(11, 16)):
        assert len(set(groups[list(view)].tolist())) == 1


def test_a_chain_of_alike_samples_is_one_group() -> None:
    line = np.linspace(0.0, 10.0, 41)[:, np.newaxis].astype(np.float32)
    rows = EmbeddingRows(np.concatenate([line[:20], line[22:]]))
    assert np.bincount(alike(rows, np.arange(39), 0.3**2)).tolist() == [20, 19]


def test_a_view_is_held_out_together_unless_it_is_most_of_its_class() -> None:
    rows = views([20, 4, 3, 10, 10])
    labels = np.repeat([0, 1], [27, 20])
    fold_of = folds_by_likeness(rows, labels, 5, np.random.default_rng(0))
    assert len(set(fold_of[:20].tolist())) == 5
    for view in (range(20, 24), range(24, 27), range(27, 37), range(37, 47)):
        assert len(set(fold_of[list(view)].tolist())) == 1
    assert set(fold_of[27:37].tolist()) != set(fold_of[37:].tolist())


def test_folds_are_even_and_a_single_sample_is_always_trained_on() -> None:
    rows = EmbeddingRows(np.random.default_rng(0).standard_normal((14, 64)))
    labels = np.repeat([0, 1, 2], [10, 3, 1])
    fold_of = folds_by_likeness(rows, labels, 5, np.random.default_rng(0))
    assert np.bincount(fold_of[labels == 0]).tolist() == [2, 2, 2, 2, 2]
    assert len(set(fold_of[labels == 1].tolist())) == 3
    assert fold_of[13] == -1
