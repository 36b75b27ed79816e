# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Components of measuring and of the recipe."""

from __future__ import annotations

from edgetpu_retrain.learning.default_training.conditioning import Conditioning, FeatureRows
from edgetpu_retrain.learning.default_training.imprinting import imprinted_weights
from edgetpu_retrain.learning.default_training.recipe import cosine_rate, Recipe
from edgetpu_retrain.learning.default_training.stages import robust_logit_range
from edgetpu_retrain.learning.default_training.training_run import HeldOutWatch
from edgetpu_retrain.learning.embedding_rows import EmbeddingRows
import numpy as np
import pytest


def test_imprinted_weights_point_to_the_class_means() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [100, 3])
    means = np.array([[3.0, 0.0, 0.0, 0.0], [0.0, 0.0, -2.0, 0.0]])
    embeddings = (means[labels] + 0.01 * rng.standard_normal((103, 4))).astype(np.float32)
    identity = Conditioning.scaling(np.zeros(4, np.float32), np.ones(4, np.float32))
    features = FeatureRows(EmbeddingRows(embeddings), identity)
    weights = imprinted_weights(features, np.arange(103), labels, 2, rng)
    # A feature vector as long as they are on average, sqrt(D), gets a logit of 10.
    assert weights == pytest.approx(np.array([[5, 0], [0, 0], [0, -5], [0, 0]]), abs=0.1)


def test_imprinting_leaves_a_class_without_direction_at_zero() -> None:
    identity = Conditioning.scaling(np.zeros(2, np.float32), np.ones(2, np.float32))
    features = FeatureRows(EmbeddingRows(np.array([[0, 0], [1, 0]], np.float32)), identity)
    rng = np.random.default_rng(0)
    weights = imprinted_weights(features, np.arange(2), np.arange(2), 2, rng)
    assert weights[:, 0].tolist() == [0.0, 0.0]


def watch() -> HeldOutWatch:
    features = np.repeat(np.eye(2, dtype=np.float32), 100, axis=0)
    start = (np.zeros((2, 2), np.float32), np.zeros(2, np.float32))
    return HeldOutWatch(features, np.repeat([0, 1], 100), start)


def test_the_watch_keeps_the_best_weights_and_sees_clear_decline_only() -> None:
    held_out = watch()
    good, bias = np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
    held_out.evaluate(10, good, bias)
    assert held_out.accuracy == 1.0
    held_out.evaluate(20, 3 * good, bias)
    # Three times as sure is the same head at another temperature.
    assert not held_out.last_is_worse()
    held_out.evaluate(30, np.ones((2, 2), np.float32), bias)
    assert held_out.accuracy == 0.5
    assert held_out.last_is_worse()
    weights, _, iteration = held_out.best
    assert iteration in {10, 20}
    assert weights[0, 0] > weights[0, 1]


def test_the_watch_ignores_non_finite_weights() -> None:
    held_out = watch()
    bias = np.zeros(2, np.float32)
    held_out.evaluate(10, np.eye(2, dtype=np.float32), bias)
    with np.errstate(invalid='ignore'):
        held_out.evaluate(20, np.full((2, 2), np.inf, np.float32), bias)
    assert held_out.best[2] == 10


def test_the_range_of_logits_leaves_single_outliers_out() -> None:
    rng = np.random.default_rng(0)
    highest = rng.uniform(5, 10, 5000).astype(np.float32)
    lowest = -highest
    calm = robust_logit_range(lowest, highest)
    assert calm == pytest.approx((-10, 10), abs=0.1)
    highest[7], lowest[9] = 1e6, -1e6
    wild = robust_logit_range(lowest, highest)
    assert wild == pytest.approx((-10.5, 10.5), abs=1.0)
    single = np.array([3.0], np.float32)
    assert robust_logit_range(-single, single) == (-3.0, 3.0)


def test_the_recipe_is_derived_from_the_data_by_default() -> None:
    recipe = Recipe()
    assert recipe.iterations(1000, 17, few=False, warm=False) == 120
    assert recipe.iterations(1000, 17, few=False, warm=True) == 30
    assert recipe.iterations(10_000, 17, few=False, warm=False) == 800
    assert recipe.iterations(10**7, 17, few=False, warm=False) == 10_000
    assert recipe.iterations(1000, 70, few=False, warm=False) == 280
    assert Recipe(num_iter=5).iterations(1000, 17, few=True, warm=True) == 5
    assert recipe.first_rate(100.0, 20, 0.0) == pytest.approx(1.9 / 50)
    assert recipe.first_rate(0.0, 20, 0.0) == 1.0
    # The noise of a batch in 1280 dimensions needs a smaller rate, a larger batch a larger one.
    assert recipe.first_rate(100.0, 1280, 0.0) == pytest.approx(20 / 640)
    assert Recipe(batch_size=110).first_rate(100.0, 1280, 0.0) == pytest.approx(22 / 640)
    assert Recipe(learning_rate=0.3).first_rate(100.0, 1280, 0.0) == 0.3
    assert recipe.regularization(np.array([50, 50]), 1024) == pytest.approx(0.16)
    # As few as the small class says, not as many as the large one has.
    assert recipe.regularization(np.array([0, 1000, 1]), 1024) == pytest.approx(4.0, rel=0.01)
    plain = Recipe(balanced=False).regularization(np.array([1000, 1]), 1024)
    assert plain == pytest.approx(16 / 1001)
    assert Recipe(reg=0.0).regularization(np.array([5, 5]), 1024) == 0.0


def test_the_learning_rate_decays_along_half_a_cosine() -> None:
    rates = [cosine_rate(2.0, 8, iteration) for iteration in range(9)]
    assert rates[0] == 2.0
    assert rates[4] == pytest.approx(1.0)
    assert rates[8] == pytest.approx(0.0)
    assert rates == sorted(rates, reverse=True)
