# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning import Head
from edgetpu_retrain.learning.default_training.conditioning import (
    Conditioning,
    FeatureRows,
    largest_eigenvalue,
)
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
import numpy as np
import pytest

RNG = np.random.default_rng(0)
SPREADS = np.linspace(0.1, 5.0, 8, dtype=np.float32)
SAMPLE = (3.0 + SPREADS * RNG.standard_normal((500, 8), dtype=np.float32)).astype(np.float32)
ONE_CLASS = np.zeros(500, np.int64)


def test_features_are_centred_with_mean_square_one_and_more_even_spreads() -> None:
    # With a sample a class nothing is known of what varies within classes.
    features = Conditioning.from_sample(SAMPLE, np.arange(500)).features(SAMPLE)
    assert features.mean(axis=0) == pytest.approx(np.zeros(8), abs=1e-4)
    assert float((features**2).mean()) == pytest.approx(1.0, abs=1e-4)
    before, after = SAMPLE.std(axis=0), features.std(axis=0)
    # The square root of the spread remains of it.
    assert after[7] / after[4] == pytest.approx(np.sqrt(before[7] / before[4]), rel=0.05)


def test_a_constant_feature_is_not_amplified() -> None:
    sample = SAMPLE.copy()
    sample[:, 0] = 7.0
    conditioning = Conditioning.from_sample(sample, ONE_CLASS)
    assert np.isfinite(conditioning.gain).all()
    assert conditioning.gain[0] < 4 * conditioning.gain[1]
    same = Conditioning.from_sample(np.ones((5, 3), np.float32), np.arange(5))
    assert same.gain.tolist() == [1.0, 1.0, 1.0]


def test_within_class_directions_are_shrunk_and_between_class_ones_are_not() -> None:
    labels = np.arange(500) % 2
    sample = RNG.standard_normal((500, 8), dtype=np.float32)
    light = np.ones(8, np.float32) / np.sqrt(np.float32(8))
    apart = np.array([1, -1, 1, -1, 1, -1, 1, -1], np.float32) / np.sqrt(np.float32(8))
    sample += 9 * RNG.standard_normal((500, 1), dtype=np.float32) * light
    sample += 9 * (2 * labels[:, np.newaxis] - 1) * apart
    conditioning = Conditioning.from_sample(sample, labels)
    features = conditioning.features(sample)
    assert float((features**2).mean()) == pytest.approx(1.0, abs=1e-3)
    spread, distance = (features @ light).std(), (features @ apart).std()
    assert distance > 4 * spread


def test_folded_weights_see_raw_embeddings_and_unfold_again() -> None:
    conditioning = Conditioning.from_sample(SAMPLE, ONE_CLASS)
    weights = RNG.standard_normal((8, 3), dtype=np.float32)
    bias = RNG.standard_normal(3, dtype=np.float32)
    raw = Head(*conditioning.fold(weights, bias))
    on_features = conditioning.features(SAMPLE) @ weights + bias
    assert raw.logits(SAMPLE) == pytest.approx(on_features, abs=1e-4)
    again, bias_again = conditioning.unfold(raw, temperature=2.0)
    assert again == pytest.approx(2.0 * weights, abs=1e-5)
    assert bias_again == pytest.approx(2.0 * bias, abs=1e-4)


@pytest.mark.parametrize('copies', [1, 3000])
def test_features_are_the_same_all_at_once_or_batch_by_batch(copies: int) -> None:
    raw = np.tile(RNG.integers(0, 256, (200, 8), dtype=np.uint8), (copies, 1))
    rows = EmbeddingRows(raw, 0.05, 100)
    chosen = np.array([5, 0, 199, 5])
    real = (raw[chosen].astype(np.float32) - 100) * np.float32(0.05)
    assert rows.floats(chosen) == pytest.approx(real, abs=1e-6)
    conditioning = Conditioning.from_sample(SAMPLE, ONE_CLASS)
    features = FeatureRows(rows, conditioning)
    # 3000 copies are more than what is conditioned at once.
    expected = conditioning.features(real)
    assert features[chosen] == pytest.approx(expected, abs=1e-4)
    assert features[5:6] == pytest.approx(expected[:1], abs=1e-4)


def test_float_embeddings_are_conditioned_batch_by_batch_too() -> None:
    embeddings = np.tile(SAMPLE, (2000, 1))
    conditioning = Conditioning.from_sample(SAMPLE, ONE_CLASS)
    features = FeatureRows(EmbeddingRows(embeddings), conditioning)
    expected = conditioning.features(SAMPLE[3:7])
    assert features[np.arange(3, 7)] == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(embeddings[:500], SAMPLE)


def test_the_largest_eigenvalue_is_found() -> None:
    features = SAMPLE - SAMPLE.mean(axis=0)
    exact = np.linalg.eigvalsh(features.T @ features / len(features))[-1]
    assert largest_eigenvalue(features) == pytest.approx(exact, rel=0.1)
    assert largest_eigenvalue(np.zeros((4, 3), np.float32)) == 0.0


def test_coordinates_of_few_rows_take_the_place_of_their_features() -> None:
    embeddings = RNG.standard_normal((40, 200), dtype=np.float32)
    conditioning = Conditioning.from_sample(embeddings, np.arange(40) % 2)
    assert len(conditioning.shrink)
    rows = EmbeddingRows(embeddings)
    full, reduced = (FeatureRows(rows, conditioning, reduced=flag) for flag in (False, True))
    # 40 rows whose mean is 0 span 39 dimensions.
    assert reduced[:].shape == (40, 39)
    assert (full.columns, reduced.columns, reduced.feature_dim) == (200, 39, 200)
    # Distances, and so all steps of a training, are the same.
    assert reduced[:] @ reduced[:].T == pytest.approx(full[:] @ full[:].T, abs=1e-3)
    weights, bias = RNG.standard_normal((39, 3), dtype=np.float32), np.ones(3, np.float32)
    head = Head(*reduced.fold(weights, bias))
    assert head.logits(embeddings) == pytest.approx(reduced[:] @ weights + bias, abs=1e-3)
    assert reduced.unfold(head, 1.0)[0] == pytest.approx(weights, abs=1e-3)


def test_coordinates_are_not_used_for_many_rows() -> None:
    conditioning = Conditioning.from_sample(SAMPLE, ONE_CLASS)
    features = FeatureRows(EmbeddingRows(SAMPLE), conditioning, reduced=True)
    assert features[:].shape == SAMPLE.shape
    assert features.columns == 8


def test_copies_of_one_row_have_coordinates() -> None:
    embeddings = np.repeat(np.eye(64, dtype=np.float32)[:2], 5, axis=0)
    conditioning = Conditioning.from_sample(embeddings, np.repeat([0, 1], 5))
    features = FeatureRows(EmbeddingRows(embeddings), conditioning, reduced=True)
    full = FeatureRows(EmbeddingRows(embeddings), conditioning)
    assert features[:] @ features[:].T == pytest.approx(full[:] @ full[:].T, abs=1e-3)


def test_repeated_rows_do_not_count_as_samples() -> None:
    sample = RNG.standard_normal((20, 64), dtype=np.float32)
    labels = np.arange(20) % 4
    once = Conditioning.from_sample(sample, labels)
    often = Conditioning.from_sample(np.tile(sample, (10, 1)), np.tile(labels, 10))
    # 16 degrees of freedom are enough for two directions, however often each row comes.
    assert len(once.shrink) == len(often.shrink) == 2


def test_many_rows_have_few_directions() -> None:
    sample = RNG.standard_normal((400, 64), dtype=np.float32)
    labels = np.arange(400) % 4
    assert len(Conditioning.from_sample(sample, labels).shrink) == 32
    assert len(Conditioning.from_sample(sample, labels, of_many=True).shrink) == 16


def test_rows_in_few_dimensions_are_shrunk_in_those_only() -> None:
    # 24 degrees of freedom allow three directions, but the rows only differ along two.
    axes = np.linalg.qr(RNG.standard_normal((64, 64)))[0][:2]
    sample = (RNG.standard_normal((28, 2)) @ axes).astype(np.float32)
    conditioning = Conditioning.from_sample(sample, np.arange(28) % 4)
    assert conditioning.directions.shape == (64, 2)
    assert np.isfinite(conditioning.features(sample)).all()
