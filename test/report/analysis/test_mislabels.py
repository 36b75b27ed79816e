# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Confident learning on hand-made probabilities, and on planted wrong labels."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.report.analysis.held_out import cross_validate
from edgetpu_retrain.report.analysis.mislabels import suspected_mislabels
from edgetpu_retrain.store.samples.sample import TrainingSet
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np

SamplesOf = Callable[..., TrainingSet]


def test_off_the_diagonal_of_the_confident_joint() -> None:
    # t_0 = (.9 + .8 + .1) / 3 = .6, t_1 = (.7 + .9 + .35) / 3 = .65
    probabilities = np.array(
        [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.1, 0.9], [0.65, 0.35]], np.float32
    )
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = suspected_mislabels(probabilities, labels)
    assert found.positions.tolist() == [2, 5]
    assert found.looks_like.tolist() == [1, 0]


def test_a_wrong_prediction_that_is_untypical_of_its_class_is_no_suspect() -> None:
    # .55 for class 1 is wrong, but far below what class 1 usually gets.
    probabilities = np.array([[0.9, 0.1], [0.45, 0.55], [0.02, 0.98], [0.04, 0.96]], np.float32)
    assert len(suspected_mislabels(probabilities, np.array([0, 0, 1, 1]))) == 0


def test_the_most_likely_class_is_no_suspect_even_with_a_high_threshold() -> None:
    # t_0 = .73, t_1 = .3: the second sample reaches that of class 1 only.
    probabilities = np.array([[0.92, 0.04, 0.04], [0.54, 0.32, 0.14], [0.5, 0.3, 0.2]], np.float32)
    found = suspected_mislabels(probabilities, np.array([0, 0, 1]))
    assert found.positions.tolist() == []


def test_classes_without_evaluated_samples_give_no_suspects() -> None:
    probabilities = np.array([[0.3, 0.1, 0.6], [0.1, 0.8, 0.1]], np.float32)
    assert len(suspected_mislabels(probabilities, np.array([0, 1]))) == 0


def test_without_evaluated_samples_there_are_no_suspects() -> None:
    assert len(suspected_mislabels(np.empty((0, 3), np.float32), np.empty(0, np.int64))) == 0


def test_planted_wrong_labels_are_found_and_no_others(samples_of: SamplesOf) -> None:
    truth = [0] * 60 + [1] * 60 + [2] * 60
    labels = list(truth)
    planted = {4: 1, 70: 2, 150: 0}
    for row, wrong in planted.items():
        labels[row] = wrong
    samples = samples_of(labels, truth=truth, spread=0.5, seed=1)
    held_out = cross_validate(samples, TrainingOptions())
    found = suspected_mislabels(held_out.probabilities, held_out.labels)
    rows = held_out.rows[found.positions].tolist()
    assert sorted(rows) == sorted(planted)
    assert dict(zip(rows, found.looks_like.tolist(), strict=True)) == {
        row: truth[row] for row in planted
    }
