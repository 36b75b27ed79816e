# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics, StageTimes, WINDOW
import pytest


def times(total: float) -> StageTimes:
    return StageTimes(0.001, 0.002, 0.003, 0.004, 0.005, total)


def test_each_camera_has_statistics_of_its_own() -> None:
    statistics = FrameStatistics()
    statistics.count('left', 'received')
    statistics.count('left', 'received')
    statistics.count('left', 'dropped')
    for milliseconds in range(101):
        statistics.add_classified('left', times(milliseconds / 1000))
    left, right = statistics.summary('left'), statistics.summary('right')
    assert left.counts == {
        'received': 2,
        'dropped': 1,
        'classified': 101,
        'unusable': 0,
        'lost': 0,
    }
    assert left.latencies['total'] == pytest.approx((0.050, 0.099))
    assert left.latencies['inference'] == pytest.approx((0.004, 0.004))
    assert set(right.counts.values()) == {0}
    assert right.latencies == {}


def test_old_times_are_dropped() -> None:
    statistics = FrameStatistics()
    statistics.add_classified('left', times(9.0))
    for _ in range(WINDOW):
        statistics.add_classified('left', times(0.001))
    assert statistics.summary('left').latencies['total'] == pytest.approx((0.001, 0.001))
