# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Quality of heads that ``fit`` trains on real embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgetpu_retrain import SoftmaxRegression
from edgetpu_retrain.learning import fit, FloatArray, Head, IntArray
from edgetpu_retrain.learning.default_training import conditioning
from edgetpu_retrain.learning.default_training.calibration import expected_calibration_error
from edgetpu_retrain.learning.default_training.recipe import Recipe
from edgetpu_retrain.learning.sgd.blas_threads import one_blas_thread
from edgetpu_retrain.learning.training_report import TrainingReport
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.runtime.models.head_scoring import HeadScorer
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from support.flowers import Flowers, NUM_CLASSES, read_flowers
from support.small_models import build_extractor

SEEDS = range(3)


@pytest.fixture(scope='module', autouse=True)
def quick_rivals() -> Iterator[None]:
    # On all threads scikit-learn takes a hundred times longer while the machine is busy.
    with one_blas_thread():
        yield


@pytest.fixture(scope='module')
def flowers() -> Flowers:
    return read_flowers()


def learn(flowers: Flowers, rows: IntArray, initial: Head | None = None, **options: Any) -> Head:
    return fit(
        flowers.raw[rows],
        flowers.labels[rows],
        scale=flowers.scale,
        zero_point=flowers.zero_point,
        initial=initial,
        **options,
    )


def right(head: Head, embeddings: FloatArray, labels: IntArray) -> float:
    return float(np.mean(head.predict(embeddings) == labels))


def metrics(head: Head) -> TrainingReport:
    assert head.metrics is not None
    return head.metrics


def test_it_is_as_accurate_as_the_convex_optimum_and_better_than_corals_recipe(
    flowers: Flowers,
) -> None:
    embeddings, labels = flowers.floats, flowers.labels
    ours, optimum, coral = [], [], []
    for seed in SEEDS:
        train, test = flowers.first(15, seed)
        ours.append(right(learn(flowers, train), embeddings[test], labels[test]))
        regression = LogisticRegression(C=1.0, max_iter=300).fit(embeddings[train], labels[train])
        optimum.append(regression.score(embeddings[test], labels[test]))
        model = SoftmaxRegression(seed=0, weight_scale=0.05)
        data: dict[str, Any] = {'data_train': embeddings[train], 'labels_train': labels[train]}
        data |= {'data_val': embeddings[test], 'labels_val': labels[test]}
        model.train_with_sgd(data, 500, 0.01, print_every=0)
        coral.append(right(model.head(), embeddings[test], labels[test]))
    assert np.mean(ours) >= np.mean(optimum) - 0.01
    assert np.mean(ours) > np.mean(coral)


def test_a_flat_spectrum_is_learned_as_well_as_by_the_convex_optimum() -> None:
    # Equal noise in all directions: the curvature of a batch is far above that of all samples.
    rng = np.random.default_rng(0)
    means = rng.normal(0.0, 0.15, (20, 1280))
    labels, truth = np.arange(1000) % 20, np.arange(2000) % 20
    embeddings = (means[labels] + rng.normal(size=(1000, 1280))).astype(np.float32)
    unseen = (means[truth] + rng.normal(size=(2000, 1280))).astype(np.float32)
    regression = LogisticRegression(C=0.1, max_iter=300).fit(embeddings, labels)
    optimum = regression.score(unseen, truth)
    assert right(fit(embeddings, labels), unseen, truth) >= optimum - 0.01


@pytest.mark.parametrize('samples', [1, 5, 10])
def test_few_samples_are_enough_to_match_the_best_of_the_simple_recipes(
    flowers: Flowers, samples: int
) -> None:
    embeddings, labels = flowers.floats, flowers.labels
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    ours, regression, means = [], [], []
    for seed in SEEDS:
        train, test = flowers.first(samples, seed)
        ours.append(right(learn(flowers, train), embeddings[test], labels[test]))
        rival = LogisticRegression(C=0.1, max_iter=300).fit(embeddings[train], labels[train])
        regression.append(rival.score(embeddings[test], labels[test]))
        mean = np.stack([unit[train][labels[train] == c].mean(axis=0) for c in range(NUM_CLASSES)])
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        means.append(np.mean(np.argmax(unit[test] @ mean.T, axis=1) == labels[test]))
    assert np.mean(ours) >= max(np.mean(regression), np.mean(means)) - 0.01


def test_probabilities_are_calibrated(flowers: Flowers) -> None:
    probabilities, truth = [], []
    for seed in SEEDS:
        train, test = flowers.first(15, seed)
        head = learn(flowers, train)
        probabilities.append(head.predict_proba(flowers.floats[test]))
        truth.append(flowers.labels[test])
        assert head.temperature != 1.0
    error = expected_calibration_error(np.concatenate(probabilities), np.concatenate(truth))
    assert error < 0.05


def test_unknown_flowers_are_detected(flowers: Flowers) -> None:
    ours, rival, rejected = [], [], []
    for seed in SEEDS:
        known = np.random.default_rng(seed).permutation(NUM_CLASSES)[:12]
        number = np.full(NUM_CLASSES, -1)
        number[known] = np.arange(12)
        labels = number[flowers.labels]
        train, test = flowers.first(15, seed)
        train, known_test = train[labels[train] >= 0], test[labels[test] >= 0]
        both = flowers.floats[np.concatenate([known_test, np.flatnonzero(labels < 0)])]
        truth = np.arange(len(both)) >= len(known_test)
        head = fit(flowers.floats[train], labels[train])
        regression = LogisticRegression(C=0.1).fit(flowers.floats[train], labels[train])
        scores = head.unknown_scores(both)
        ours.append(roc_auc_score(truth, scores))
        rival.append(roc_auc_score(truth, -regression.predict_proba(both).max(axis=1)))
        rejected.append(np.mean(scores[~truth] > head.unknown_threshold))
    assert np.mean(ours) >= np.mean(rival)
    assert 0.0 < np.mean(rejected) < 0.15


def test_a_class_is_added_in_a_quarter_of_the_iterations(flowers: Flowers) -> None:
    full, warm = [], []
    planned = Recipe().iterations(15 * NUM_CLASSES, NUM_CLASSES, few=False, warm=False)
    for seed in SEEDS:
        train, test = flowers.first(15, seed)
        earlier = learn(flowers, train[flowers.labels[train] < NUM_CLASSES - 1])
        complete, added = learn(flowers, train), learn(flowers, train, initial=earlier)
        assert metrics(added).iterations <= planned / 4
        assert added.temperature == earlier.temperature
        full.append(right(complete, flowers.floats[test], flowers.labels[test]))
        warm.append(right(added, flowers.floats[test], flowers.labels[test]))
    assert np.mean(warm) >= np.mean(full) - 0.01
    assert 'from an earlier head' in metrics(added).in_words()


@pytest.mark.parametrize('dtype', ['uint8', 'int8'])
def test_quantized_layers_give_the_same_answers_in_the_real_runtime(
    flowers: Flowers, dtype: str
) -> None:
    extractor = build_extractor(dtype, dimension=1024)
    same = []
    for seed in SEEDS:
        train, test = flowers.first(15, seed)
        head = learn(flowers, train)
        raw = flowers.raw[test]
        raw = raw if dtype == 'uint8' else (raw.astype(np.int16) - 128).astype(np.int8)
        scores = HeadScorer(append_head(extractor, head)).scores(raw)
        same.extend(np.argmax(scores, axis=1) == head.predict(flowers.floats[test]))
    assert np.mean(same) >= 0.99


def test_uneven_classes_are_drawn_equally_often_and_reported(flowers: Flowers) -> None:
    rng = np.random.default_rng(0)
    centers = np.zeros((2, 64), np.float32)
    centers[1, :8] = 1.0

    def drawn(*counts: int) -> tuple[FloatArray, IntArray]:
        labels = np.repeat([0, 1], counts)
        noise = rng.standard_normal((len(labels), 64), dtype=np.float32)
        return centers[labels] + np.float32(0.65) * noise, labels

    recalls: dict[str, list[float]] = {'balanced': [], 'as they come': [], 'regression': []}
    for _ in SEEDS:
        embeddings, labels = drawn(1000, 10)
        others, truth = drawn(500, 500)
        for name in ('balanced', 'as they come'):
            head = fit(embeddings, labels, balanced=name == 'balanced')
            recalls[name].append(right(head, others[500:], truth[500:]))
            assert right(head, others[:500], truth[:500]) > 0.98
            assert 'class 0 has 1000 samples, class 1 only 10' in metrics(head).in_words()
        regression = LogisticRegression(class_weight='balanced', max_iter=500)
        regression.fit(embeddings, labels)
        recalls['regression'].append(regression.score(others[500:], truth[500:]))
    balanced, as_they_come, rival = (np.mean(values) for values in recalls.values())
    assert balanced > as_they_come + 0.05
    assert balanced > rival - 0.1
    even = learn(flowers, np.arange(340))
    assert 'Uneven classes' not in metrics(even).in_words()


def test_held_out_figures_are_those_of_new_samples(flowers: Flowers) -> None:
    # Labels by the throw of a die: whoever measures with what was learned by heart sees more.
    labels = np.random.default_rng(0).integers(0, 4, 340)
    head = fit(flowers.floats, labels)
    assert metrics(head).accuracy < 0.4
    assert metrics(head).train_accuracy > 0.6
    assert head.predict_proba(flowers.floats).max(axis=1).mean() < 0.75


def test_few_samples_train_the_same_head_in_coordinates(
    flowers: Flowers, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = flowers.first(5, seed=0)
    fast = learn(flowers, rows)
    monkeypatch.setattr(conditioning, '_REDUCTION', 1000)
    slow = learn(flowers, rows)
    assert fast.logits(flowers.floats) == pytest.approx(slow.logits(flowers.floats), abs=0.01)
    assert fast.unknown_threshold == pytest.approx(slow.unknown_threshold, abs=0.01)


def test_features_are_conditioned_without_the_held_out_samples(
    flowers: Flowers, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = flowers.first(5, seed=0)
    seen: list[int] = []
    from_sample = conditioning.Conditioning.from_sample

    def counted(embeddings: FloatArray, labels: IntArray, **options: Any) -> Any:
        seen.append(len(np.unique(embeddings, axis=0)))
        return from_sample(embeddings, labels, **options)

    monkeypatch.setattr(conditioning.Conditioning, 'from_sample', counted)
    learn(flowers, rows)
    assert seen == [85] + 5 * [68]
