# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The worst mistakes and the least confident predictions of a hand-made case."""

from __future__ import annotations

from edgetpu_retrain.report.analysis.hard_samples import least_sure, worst_mistakes
from edgetpu_retrain.report.analysis.held_out import HeldOut
import numpy as np

PROBABILITIES = np.array(
    [
        [0.9, 0.05, 0.05],  # right
        [0.4, 0.35, 0.25],  # right, and the least sure
        [0.6, 0.3, 0.1],  # wrong
        [0.01, 0.01, 0.98],  # wrong, and the worst
        [0.3, 0.1, 0.6],  # wrong
    ],
    np.float32,
)
LABELS = np.array([0, 0, 1, 0, 1])
HELD_OUT = HeldOut(np.arange(5), LABELS, PROBABILITIES, np.zeros(5, np.int64), 5)


def test_mistakes_in_which_the_truth_seemed_least_likely_come_first() -> None:
    assert worst_mistakes(HELD_OUT).tolist() == [3, 4, 2]
    assert worst_mistakes(HELD_OUT, most=1).tolist() == [3]


def test_the_least_sure_come_first_right_or_wrong() -> None:
    assert least_sure(HELD_OUT).tolist() == [1, 2, 4, 0, 3]
    assert least_sure(HELD_OUT, most=2).tolist() == [1, 2]


def test_at_most_20_of_each() -> None:
    many = HeldOut(
        np.arange(50), np.ones(50, np.int64), np.tile([0.6, 0.4], (50, 1)).astype(np.float32),
        np.zeros(50, np.int64), 5,
    )  # fmt: skip
    assert len(worst_mistakes(many)) == len(least_sure(many)) == 20
