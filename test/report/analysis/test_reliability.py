# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy over confidence, in bins."""

from __future__ import annotations

from edgetpu_retrain.report.analysis.reliability import reliability
import numpy as np
import pytest


def test_bins_of_a_hand_made_case() -> None:
    probabilities = np.array([[0.95, 0.05]] * 4 + [[0.65, 0.35]] * 2 + [[1.0, 0.0]], np.float32)
    found = reliability(probabilities, np.array([0, 0, 0, 1, 0, 1, 0]))
    assert found.counts.tolist() == [2, 5]
    np.testing.assert_allclose(found.confidence, [0.65, 0.96], atol=1e-6)
    np.testing.assert_allclose(found.right, [0.5, 0.8])
    assert found.error == pytest.approx((2 * 0.15 + 5 * 0.16) / 7)
    assert found.excess == pytest.approx((2 * 0.15 + 5 * 0.16) / 7)


def test_reliability_without_predictions() -> None:
    found = reliability(np.empty((0, 2), np.float32), np.empty(0, np.int64))
    assert len(found.counts) == 0
    assert np.isnan(found.error)
    assert np.isnan(found.excess)
