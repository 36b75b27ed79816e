# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot's claims are later than all that it knew, whatever its clock shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import sys
import time

from edgetpu_retrain.fleet.evidence.hybrid_clock import (
    HybridClock,
    is_ahead,
    MAX_AHEAD_MS,
    MAX_CLOCK,
    physical_ms,
)
from hypothesis import given
from hypothesis import strategies as st

NOW_MS = 1_800_000_000_000


@given(st.lists(st.tuples(st.integers(0, 2**45), st.integers(0, MAX_CLOCK))))
def test_values_only_go_up_and_follow_what_was_observed(
    steps: list[tuple[int, int]],
) -> None:
    now_ms, last = 0, -1
    clock = HybridClock(now_ms=lambda: now_ms)
    for now_ms, observed in steps:
        clock.observe(observed)
        value = clock.next()
        assert value > last
        assert value > observed or is_ahead(observed, now_ms)
        # A value is never further ahead than what was believed, and the next millisecond.
        assert physical_ms(value) <= max(physical_ms(last), now_ms + MAX_AHEAD_MS) + 1
        last = value


def test_without_others_it_is_the_time_of_day() -> None:
    before = time.time_ns() // 1_000_000
    value = HybridClock().next()
    assert before <= physical_ms(value) <= time.time_ns() // 1_000_000


def test_a_clock_that_was_set_back_still_goes_up() -> None:
    now_ms = NOW_MS
    clock = HybridClock(now_ms=lambda: now_ms)
    first = clock.next()
    now_ms = 0
    assert clock.next() == first + 1


def test_a_full_counter_goes_on_in_the_next_millisecond() -> None:
    clock = HybridClock(now_ms=lambda: NOW_MS)
    clock.observe((NOW_MS << 16) + 0xFFFF)
    assert clock.next() == NOW_MS + 1 << 16


def test_a_clock_far_ahead_is_not_believed() -> None:
    limit = NOW_MS + MAX_AHEAD_MS
    assert not is_ahead(limit << 16 | 0xFFFF, NOW_MS)
    assert is_ahead(limit + 1 << 16, NOW_MS)
    clock = HybridClock(now_ms=lambda: NOW_MS)
    clock.observe(limit + 1 << 16)
    assert physical_ms(clock.next()) == NOW_MS


def test_threads_never_get_the_same_value() -> None:
    clock = HybridClock(now_ms=lambda: NOW_MS)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            values = list(threads.map(lambda _: [clock.next() for _ in range(2000)], range(32)))
    finally:
        sys.setswitchinterval(interval)
    assert len({value for each in values for value in each}) == 32 * 2000
