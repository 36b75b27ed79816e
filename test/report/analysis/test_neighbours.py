# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Nearest neighbours, compared with a brute-force search."""

from __future__ import annotations

from edgetpu_retrain.learning import arrays
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.report.analysis.neighbours import nearest_samples
from edgetpu_retrain.store.samples.sample import TrainingSet
import numpy as np
import pytest


def samples(embeddings: object) -> TrainingSet:
    array = np.asarray(embeddings, np.float32)
    return TrainingSet(array, np.zeros(len(array), np.int64), ('a', 'b'), None)


def test_nearest_by_direction_not_by_length_and_never_itself() -> None:
    rows, distances = nearest_samples(
        samples([[1, 0], [100, 1], [0, 1], [1, 1], [-1, 0]]), np.array([0, 2]), 2
    )
    assert rows.tolist() == [[1, 3], [3, 1]]
    np.testing.assert_allclose(distances[0], [5e-5, 1 - 0.5**0.5], atol=1e-6)


@pytest.mark.parametrize('block', [1, 7, 1000])
def test_block_by_block_as_one_by_one(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, '_BLOCK_ROWS', block)
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 256, (60, 8), dtype=np.uint8)
    quantized = TrainingSet(
        raw, np.zeros(60, np.int64), ('a', 'b'), QuantizationParameters(0.1, 128)
    )
    reals = raw.astype(np.float64) - 128
    units = reals / np.linalg.norm(reals, axis=1, keepdims=True)
    queries = np.array([5, 59, 0])
    found, _ = nearest_samples(quantized, queries, 3)
    for query, rows in zip(queries.tolist(), found.tolist(), strict=True):
        others = [row for row in range(60) if row != query]
        others.sort(key=lambda row: -float(units[row] @ units[query]))
        assert rows == others[:3]


def test_fewer_others_than_wanted_and_an_embedding_of_zeros() -> None:
    rows, distances = nearest_samples(samples([[0, 0], [1, 0]]), np.array([0, 1]), 3)
    assert rows.tolist() == [[1], [0]]
    assert distances.tolist() == [[1.0], [1.0]]
    assert nearest_samples(samples([[1, 0], [1, 0]]), np.empty(0, np.int64), 3)[0].shape[0] == 0
