# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from benchmarks.shared.figures import growth, percentile
import pytest


@pytest.mark.parametrize(
    ('percent', 'expected'), [(50, 50.0), (99, 99.0), (99.5, 100.0), (100, 100.0), (0.1, 1.0)]
)
def test_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == expected


def test_growth_compares_the_ends_and_passes_over_outliers() -> None:
    steady = [100.0] * 50
    assert growth(steady) == 0.0
    assert growth([*steady[:49], 180.0]) == 0.0
    assert growth([100.0] * 10 + [150.0] * 80 + [104.0] * 10) == pytest.approx(0.04)
    assert growth([100.0, 90.0]) == pytest.approx(-0.1)
