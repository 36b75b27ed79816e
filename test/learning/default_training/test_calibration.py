# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning.arrays import FloatArray, IntArray
from edgetpu_retrain.learning.default_training.calibration import (
    cross_entropies,
    expected_calibration_error,
    fit_temperature,
)
import numpy as np
import pytest


def samples(count: int, sharpness: float) -> tuple[FloatArray, IntArray]:
    """Return logits that are too sure by this factor, and labels drawn from the honest ones."""
    rng = np.random.default_rng(0)
    honest = 2.0 * rng.standard_normal((count, 5))
    probabilities = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    labels = (probabilities.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return (sharpness * honest).astype(np.float32), labels


@pytest.mark.parametrize('sharpness', [0.1, 1.0, 4.0, 20.0])
def test_the_temperature_undoes_wrong_confidence(sharpness: float) -> None:
    logits, labels = samples(20_000, sharpness)
    assert fit_temperature(logits, labels) == pytest.approx(sharpness, rel=0.05)


def test_the_temperature_minimizes_the_loss() -> None:
    logits, labels = samples(500, 3.0)
    best = fit_temperature(logits, labels, uncertainty=1e6)

    def loss(temperature: float) -> float:
        return float(cross_entropies(logits / np.float32(temperature), labels).mean())

    assert loss(best) < min(loss(0.98 * best), loss(1.02 * best))


def test_a_few_correct_samples_do_not_give_infinite_confidence() -> None:
    logits = np.array([[5.0, 0.0], [0.0, 5.0]], np.float32)
    labels = np.array([0, 1])
    assert 0.2 < fit_temperature(logits, labels, typical=0.5, uncertainty=0.5) <= 0.5
    assert fit_temperature(logits, 1 - labels) < 60.0


def test_cross_entropies_survive_huge_logits() -> None:
    losses = cross_entropies(np.array([[1e4, 0.0], [0.0, 0.0]], np.float32), np.array([1, 0]))
    assert losses == pytest.approx([1e4, np.log(2.0)])


def test_the_calibration_error_is_that_of_a_count_by_hand() -> None:
    confidences = np.array([0.6, 0.61, 0.9, 0.97, 1.0], np.float32)
    probabilities = np.stack([confidences, 1 - confidences], axis=1)
    labels = np.array([0, 1, 0, 0, 1])
    # Bins of a fifteenth: [0.6, 0.667) with 0.5 right, [0.867, 0.933) with 1, the last with 0.5.
    by_hand = (2 * abs(0.605 - 0.5) + abs(0.9 - 1.0) + 2 * abs(0.985 - 0.5)) / 5
    assert expected_calibration_error(probabilities, labels) == pytest.approx(by_hand, abs=1e-6)
