# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics, percentile, WINDOW
import pytest


@pytest.mark.parametrize(
    ('percent', 'expected'), [(1, 1.0), (50, 50.0), (99, 99.0), (99.5, 100.0), (100, 100.0)]
)
def test_percentiles_are_values_that_were_measured(percent: float, expected: float) -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, percent) == expected
    assert percentile([7.0], percent) == 7.0


def test_each_camera_has_numbers_of_its_own() -> None:
    statistics = FrameStatistics(('left', 'right'))
    statistics.count('left', 'received')
    statistics.count('left', 'received')
    statistics.count('left', 'dropped')
    statistics.measured('left', {'total': 0.010})
    statistics.measured('left', {'total': 0.030, 'inference': 0.002})
    left, right = statistics.of('left'), statistics.of('right')
    assert (left.counts['received'], left.counts['dropped']) == (2, 1)
    assert left.latencies == {'total': (0.010, 0.030), 'inference': (0.002, 0.002)}
    assert set(right.counts.values()) == {0}
    assert right.latencies == {}


def test_old_latencies_are_forgotten() -> None:
    statistics = FrameStatistics(('left',))
    statistics.measured('left', {'total': 9.0})
    for _ in range(WINDOW):
        statistics.measured('left', {'total': 0.001})
    assert statistics.of('left').latencies == {'total': (0.001, 0.001)}
