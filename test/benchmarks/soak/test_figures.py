# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures and goals of the soak test, with made-up measurements."""

from __future__ import annotations

from dataclasses import asdict

from benchmarks.soak.figures import alarms, Course, missed_goals, Windows
import pytest

GOOD = {
    'errors': 0,
    'handles_start': 22.0,
    'handles_end': 22.0,
    'threads_start': 30.0,
    'threads_end': 30.0,
    'memory_drift': 0.029,
    'p99_drift': -0.5,
    'peer_p99_drift': 0.31,
}


def test_ten_minutes_have_a_warm_up_of_90_seconds_and_windows_of_30() -> None:
    assert asdict(Windows.of(1000.0, 1600.0)) == {'begin': 1090.0, 'length': 30.0, 'count': 17}


def test_a_short_run_has_six_windows_after_a_fifth_of_it() -> None:
    assert asdict(Windows.of(0.0, 15.0)) == {'begin': 3.0, 'length': 2.0, 'count': 6}


def test_values_belong_to_their_window_and_none_to_the_warm_up() -> None:
    windows = Windows(begin=10.0, length=5.0, count=2)
    moments = [(9.9, 1.0), (10.0, 2.0), (14.9, 4.0), (15.0, 8.0), (20.0, 16.0)]
    assert windows.split(moments) == [[2.0, 4.0], [8.0]]
    assert windows.medians(moments) == [3.0, 8.0]
    assert windows.percentiles(moments) == [4.0, 8.0]


def test_a_window_without_values_is_ignored() -> None:
    windows = Windows(begin=0.0, length=1.0, count=3)
    assert windows.medians([(0.5, 1.0), (2.5, 3.0)]) == [1.0, 3.0]


def test_one_bad_window_is_no_drift() -> None:
    course = Course.of([10.0, 10.0, 90.0, 10.0, 10.0, 10.0, 10.0, 10.0, 90.0])
    assert course == Course(start=10.0, end=10.0, drift=0.0)


def test_steady_growth_is_drift() -> None:
    course = Course.of([100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0, 108.0])
    assert (course.start, course.end) == (101.0, 107.0)
    assert course.drift == pytest.approx(6 / 101)


@pytest.mark.parametrize(
    'line',
    [
        '[ERROR] [1795326523.127] [edgetpu_retrain]: Traceback (most recent call last):',
        '[FATAL] [1795326523.127] [edgetpu_retrain]: no model',
        'Traceback (most recent call last):',
        'Fatal Python error: Segmentation fault',
        '2026-11-22 05:50:01.123 [RTPS_TRANSPORT_SHM Error] Failed to create segment',
    ],
)
def test_lines_that_show_a_bug_are_alarms(line: str) -> None:
    assert alarms(f'[INFO] [1.0] [edgetpu_retrain]: ready\n{line}\n') == [line]


def test_a_rejected_request_is_no_alarm() -> None:
    warning = '[WARN] [1.0] [edgetpu_retrain]: request refused: [ERROR] is no label.'
    assert not alarms(f'{warning}\nINFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n')


def test_a_good_run_misses_no_goal() -> None:
    assert not missed_goals(GOOD)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('errors', 1),
        ('handles_end', 23.0),
        ('threads_end', 31.0),
        ('memory_drift', 0.03),
        ('p99_drift', 0.2),
        ('p99_drift', float('nan')),
    ],
)
def test_each_goal_can_be_missed(name: str, value: float) -> None:
    (missed,) = missed_goals({**GOOD, name: value})
    assert missed.startswith(name.removesuffix('_end'))


def test_slower_responses_are_reported_with_those_of_the_peer() -> None:
    (missed,) = missed_goals({**GOOD, 'p99_drift': 0.24})
    assert missed == (
        'p99_drift: 24.0%, less than 20% is allowed (a node that does nothing but respond: 31.0%)'
    )
