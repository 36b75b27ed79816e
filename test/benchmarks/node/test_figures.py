# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the node's benchmark, with made-up time stamps."""

from __future__ import annotations

from benchmarks.node.figures import Latency, lost_to_swaps, Recording
import pytest

MS = 1_000_000
PERIOD = 33 * MS


def recording(count: int, latency_ms: float = 10.0, lost: tuple[int, ...] = ()) -> Recording:
    """Return images at equal intervals, all but the lost ones classified after the same time."""
    published = [number * PERIOD for number in range(1, count + 1)]
    arrived = {
        stamp: stamp + round(latency_ms * MS)
        for number, stamp in enumerate(published)
        if number not in lost
    }
    return Recording(published, arrived)


def test_latencies_are_those_of_images_that_arrived() -> None:
    assert recording(4, 12.5, lost=(1,)).latencies_ms() == [12.5, 12.5, 12.5]


def test_counts_images_without_an_arrival() -> None:
    assert recording(10).lost() == 0
    assert recording(10, lost=(0, 4, 9)).lost() == 3


def test_arrivals_of_other_images_do_not_count() -> None:
    whole = recording(10, lost=(2, 8))
    part = whole.between(whole.published[1], whole.published[5])
    assert list(part.published) == list(whole.published[1:5])
    assert part.lost() == 1
    assert len(part.arrived) == 3


def test_removes_the_first_seconds() -> None:
    assert recording(10).without_first(3 * PERIOD / 1e9).published[0] == 4 * PERIOD
    assert recording(10).without_first(3 * PERIOD / 1e9).published[-1] == 10 * PERIOD


def test_rate_is_that_of_arrivals_and_not_of_images() -> None:
    every_second = recording(9, lost=(1, 3, 5, 7))
    assert every_second.published_a_second() == pytest.approx(1e9 / PERIOD)
    assert every_second.arrivals_a_second() == pytest.approx(1e9 / PERIOD / 2)


def test_the_longest_gap_is_in_periods() -> None:
    rate = 1e9 / PERIOD
    assert recording(10).longest_gap_periods(rate) == pytest.approx(1.0)
    assert recording(10, lost=(4, 5)).longest_gap_periods(rate) == pytest.approx(3.0)


def test_arrivals_may_come_in_any_order() -> None:
    late = Recording([0, 10, 20], {0: 100, 10: 90, 20: 120})
    assert late.longest_gap_periods(1e9) == 20


def test_added_latency_subtracts_medians_from_percentiles() -> None:
    # An outlier in the subtracted values must not make the node seem faster.
    latency = Latency.of(
        transport=[1.0, 2.0, 90.0],
        floor=[5.0, 5.0, 70.0],
        total=[*[9.0] * 60, *[10.0] * 38, 20.0, 30.0],
    )
    assert (latency.added_p50, latency.added_p99) == (2.0, 13.0)


def test_the_usual_share_of_lost_images_is_not_lost_to_swaps() -> None:
    assert lost_to_swaps(recording(100), recording(300)) == 0
    assert lost_to_swaps(recording(100, lost=(3, 4)), recording(300)) == 2
    # 3 of 300 are 1 of 100.
    assert lost_to_swaps(recording(100, lost=(3, 4)), recording(300, lost=(1, 2, 3))) == 1
    assert lost_to_swaps(recording(100), recording(300, lost=(1, 2, 3))) == 0


def test_part_of_a_frame_is_a_frame_lost() -> None:
    assert lost_to_swaps(recording(100, lost=(3,)), recording(300, lost=(1,))) == 1
