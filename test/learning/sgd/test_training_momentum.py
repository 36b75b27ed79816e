# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The training step with momentum, and a loop that runs in parts."""

from __future__ import annotations

from itertools import repeat
import math

from edgetpu_retrain.learning import FloatArray, Progress, TrainingDiverged
from edgetpu_retrain.learning.sgd.loop import run_training_loop
from edgetpu_retrain.learning.sgd.step import SgdStep
import numpy as np
import pytest

RNG = np.random.default_rng(0)
BATCH = RNG.standard_normal((6, 4)).astype(np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def head() -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((4, 3)).astype(np.float32)
    return weights, np.zeros(3, np.float32)


def test_each_step_repeats_a_share_of_the_last_one() -> None:
    rates, momentum, reg = (0.3, 0.2, 0.1), 0.7, 0.05
    weights, bias = head()
    expected = weights.astype(np.float64)
    expected_bias = bias.astype(np.float64)
    step = SgdStep(weights, bias, len(BATCH), reg, momentum)
    speed, bias_speed = np.zeros_like(expected), np.zeros_like(expected_bias)
    for rate in rates:
        logits = BATCH @ expected + expected_bias
        errors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        errors[np.arange(6), LABELS] -= 1.0
        speed = momentum * speed + rate * (BATCH.T @ errors / 6 + reg * expected)
        bias_speed = momentum * bias_speed + rate * errors.mean(axis=0)
        expected -= speed
        expected_bias -= bias_speed
        step.forward(BATCH, LABELS)
        step.update(BATCH, rate)
    assert weights == pytest.approx(expected, abs=1e-6)
    assert bias == pytest.approx(expected_bias, abs=1e-6)


def test_a_step_that_would_be_infinite_is_not_taken() -> None:
    weights, bias = head()
    step = SgdStep(weights, bias, len(BATCH), momentum=0.9)
    before = weights.copy()
    step.forward(BATCH, LABELS)
    with np.errstate(over='ignore', invalid='ignore'), pytest.raises(TrainingDiverged):
        step.update(BATCH, 1e38)
    assert np.array_equal(weights, before)
    assert not bias.any()


def test_a_loop_in_parts_is_the_same_as_in_one() -> None:
    results, seen = [], []
    for parts in ([20], [7, 13, 20]):
        weights, bias = head()
        step = SgdStep(weights, bias, len(BATCH), momentum=0.9)
        reports: list[Progress] = []
        done = 0
        for end in parts:
            outcome = run_training_loop(
                step,
                repeat((BATCH, LABELS)),
                lambda iteration: 0.1 / (1 + iteration),
                end,
                first=done,
                measure=lambda: (math.nan, math.nan),
                report_every=5,
                on_progress=reports.append,
            )
            done = outcome.iterations
        assert done == 20
        results.append(weights)
        seen.append([report.iteration for report in reports])
    assert np.array_equal(results[0], results[1])
    assert seen == [[0, 5, 10, 15]] * 2
