# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Measures trainings: what they do to the frames, and what busy processes do to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import os
import statistics
import time

from benchmarks.node.measurements import Bench, WARM_UP_S
from benchmarks.shared.figures import percentile

BUSY_PROCESSES = 4

_VARIANT = ('raw', 640, 480)


def training(bench: Bench) -> dict[str, float]:
    """Return total latencies during training and without, and how long trainings take."""
    without: list[float] = []
    during: list[float] = []
    took, lost, count = [], 0, 0
    for _ in range(bench.rounds):
        without += bench.record(_VARIANT).latencies_ms()
        with bench.phase(_VARIANT) as phase:
            time.sleep(WARM_UP_S)
            windows = _repeated(bench.robot.train, bench.seconds)
        for begin, end in windows:
            recording = phase.recording.between(begin, end)
            during += recording.latencies_ms()
            lost += recording.lost()
            count += len(recording.published)
            took.append((end - begin) / 1e9)
    return {
        'without_p50_ms': percentile(without, 50),
        'without_p99_ms': percentile(without, 99),
        'during_p50_ms': percentile(during, 50),
        'during_p99_ms': percentile(during, 99),
        'ratio_p99': percentile(during, 99) / percentile(without, 99),
        'frames': count,
        'frames_lost': lost,
        'trainings': len(took),
        'training_s': statistics.median(took),
        'training_without_images_s': _median_seconds(_repeated(bench.robot.train, bench.seconds)),
    }


def training_beside_busy_processes(bench: Bench, alone_s: float) -> dict[str, float]:
    """
    Return how long a training takes, and total latencies, beside processes that use all cores.

    Args:
        bench: its node runs beside :data:`BUSY_PROCESSES` processes.
        alone_s: duration of a training without them and without images, seconds.

    Returns:
        The durations also relative to a fair share: ``alone_s``, multiplied by the number of
        threads that want to run for each core.
    """
    seconds = bench.rounds * bench.seconds
    fair_s = alone_s * max(1.0, (BUSY_PROCESSES + 1) / (os.cpu_count() or 1))
    took_s = _median_seconds(_repeated(bench.robot.train, seconds))
    without = bench.record(_VARIANT).latencies_ms()
    with bench.phase(_VARIANT) as phase:
        time.sleep(WARM_UP_S)
        windows = _repeated(bench.robot.train, seconds)
    during = [
        latency
        for begin, end in windows
        for latency in phase.recording.between(begin, end).latencies_ms()
    ]
    return {
        'training_s': took_s,
        'training_over_fair_share': took_s / fair_s,
        'training_with_images_s': _median_seconds(windows),
        'training_with_images_over_fair_share': _median_seconds(windows) / fair_s,
        'without_p50_ms': percentile(without, 50),
        'without_p99_ms': percentile(without, 99),
        'during_p50_ms': percentile(during, 50),
        'during_p99_ms': percentile(during, 99),
    }


def _median_seconds(windows: Sequence[tuple[int, int]]) -> float:
    return statistics.median((end - begin) / 1e9 for begin, end in windows)


def _repeated(action: Callable[[], object], seconds: float) -> list[tuple[int, int]]:
    """Repeat an action for some seconds, and return when each run began and ended."""
    windows = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        begin = time.monotonic_ns()
        action()
        windows.append((begin, time.monotonic_ns()))
    return windows
