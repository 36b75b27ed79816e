# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Probabilities of wrong labels: by hand, planted, and in a burst."""

from __future__ import annotations

from collections.abc import Callable
import math

from edgetpu_retrain.report.analysis.held_out import check_labels
from edgetpu_retrain.report.analysis.mislabels import chances_of_mistakes, suspected_mislabels
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt
import pytest

SamplesOf = Callable[..., TrainingSet]


def calibrated(
    classes: int, count: int, sharpness: float, seed: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return probabilities, and labels that are drawn from them."""
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((count, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (probabilities.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return probabilities.astype(np.float32), np.minimum(labels, classes - 1)


@pytest.mark.parametrize(('classes', 'sharpness'), [(2, 8.0), (6, 4.0), (20, 6.0)])
@pytest.mark.parametrize('seed', range(3))
def test_mistakes_of_a_calibrated_head_accuse_few_labels(
    classes: int, sharpness: float, seed: int
) -> None:
    probabilities, labels = calibrated(classes, 500, sharpness, seed)
    assert np.count_nonzero(np.argmax(probabilities, axis=1) != labels) > 10
    assert len(suspected_mislabels(probabilities, labels)) <= 1


@pytest.mark.parametrize('seed', range(3))
def test_as_many_labels_are_wrong_as_expected(seed: int) -> None:
    probabilities, labels = calibrated(6, 600, 8.0, seed)
    rng = np.random.default_rng(seed)
    planted = rng.permutation(600)[:60]
    labels[planted] = (labels[planted] + rng.integers(1, 6, 60)) % 6
    found = suspected_mislabels(probabilities, labels)
    wrong = np.isin(found.positions, planted)
    assert wrong.sum() >= 45
    assert found.expected == pytest.approx(wrong.sum(), abs=3 * math.sqrt(len(found)) / 2)


def test_the_most_probable_mistake_comes_first_with_what_it_looks_like() -> None:
    probabilities = np.full((100, 3), 0.01, np.float32)
    labels = np.arange(100) % 3
    probabilities[np.arange(100), labels] = 0.98
    probabilities[7] = 0.04, 0.06, 0.90
    probabilities[9] = 0.0001, 0.9998, 0.0001
    labels[7], labels[9] = 1, 0
    found = suspected_mislabels(probabilities, labels)
    assert found.positions.tolist() == [9, 7]
    assert found.looks_like.tolist() == [1, 2]
    assert found.chances[0] > found.chances[1] >= 0.3


def test_extreme_probabilities_give_no_warning() -> None:
    probabilities = np.repeat(np.eye(2, dtype=np.float32), 20, axis=0)
    labels = np.repeat([0, 1], 20)
    labels[3] = 1
    chances = chances_of_mistakes(probabilities, labels)
    assert np.flatnonzero(chances > 0.9).tolist() == [3]


def test_without_evaluated_samples_there_are_no_suspects() -> None:
    assert len(suspected_mislabels(np.empty((0, 3), np.float32), np.empty(0, np.int64))) == 0


def test_planted_wrong_labels_are_found_and_no_others(samples_of: SamplesOf) -> None:
    truth = [0] * 60 + [1] * 60 + [2] * 60
    labels = list(truth)
    planted = {4: 1, 70: 2, 150: 0}
    for row, wrong in planted.items():
        labels[row] = wrong
    samples = samples_of(labels, truth=truth, spread=0.5, seed=1)
    held_out = check_labels(samples, TrainingOptions())
    found = suspected_mislabels(held_out.probabilities, held_out.labels)
    rows = held_out.rows[found.positions].tolist()
    assert sorted(rows) == sorted(planted)
    assert dict(zip(rows, found.looks_like.tolist(), strict=True)) == {
        row: truth[row] for row in planted
    }


def bursts(seed: int) -> TrainingSet:
    """Return a burst of each of six things, the first of which has four frames of the second."""
    rng = np.random.default_rng(seed)
    shown = np.repeat([0, 1, 0, 1, 2, 3, 4, 5], [15, 4, 15, 40, 30, 30, 30, 30])
    labels = np.repeat([0, 1, 2, 3, 4, 5], [34, 40, 30, 30, 30, 30])
    things = rng.standard_normal((6, 256))
    embeddings = things[shown] + 0.2 * rng.standard_normal((len(shown), 256))
    return TrainingSet(
        embeddings.astype(np.float32), labels, tuple('abcdef'), None, np.arange(len(labels))
    )


@pytest.mark.parametrize('seed', range(3))
def test_four_frames_of_another_thing_in_a_burst_are_found(seed: int) -> None:
    samples = bursts(seed)
    held_out = check_labels(samples, TrainingOptions())
    found = suspected_mislabels(held_out.probabilities, held_out.labels)
    assert sorted(held_out.rows[found.positions].tolist()) == [15, 16, 17, 18]
    assert found.looks_like.tolist() == [1, 1, 1, 1]
