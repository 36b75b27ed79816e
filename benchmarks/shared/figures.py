# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures that several benchmarks compute from their measurements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import math
import statistics


def percentile(values: Iterable[float], percent: float) -> float:
    """
    Return the smallest value that is not exceeded by at least ``percent`` of all values.

    Args:
        values: at least one value.
        percent: above 0, up to 100.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def growth(values: Sequence[float], share: float = 0.1) -> float:
    """
    Return the relative growth from the first to the last values: 0.05 for 5 %.

    Args:
        values: measured at equal intervals.
        share: share of the values at each end whose medians are compared.
    """
    count = max(1, round(share * len(values)))
    return statistics.median(values[-count:]) / statistics.median(values[:count]) - 1.0
