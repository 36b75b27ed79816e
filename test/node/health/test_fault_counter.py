# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.health import fault_counter
from edgetpu_retrain.node.health.fault_counter import FaultCounter, LATEST_S, OVER_S, REPEAT_S
import pytest


class Clock:
    """Stands in for the module ``time``; its time is a test's."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(fault_counter, 'time', clock)
    return clock


def test_a_fault_that_goes_on_is_logged_once_and_its_count_after_a_minute(clock: Clock) -> None:
    lines: list[str] = []
    faults = FaultCounter(lines.append)
    for at in range(10 * round(REPEAT_S) + 1):
        clock.now = at / 10
        faults.add('front', 'unusable image', f'width is {at}')
    assert lines == [
        "camera 'front': unusable image (1 so far): width is 0",
        "camera 'front': unusable image (601 so far): width is 600",
    ]


def test_a_fault_that_comes_back_is_logged_again(clock: Clock) -> None:
    lines: list[str] = []
    faults = FaultCounter(lines.append)
    for clock.now in (0.0, OVER_S):
        faults.add('front', 'unusable image', 'no width')
    assert len(lines) == 2


def test_another_fault_of_the_kind_is_logged_too_but_only_one_a_second(clock: Clock) -> None:
    lines: list[str] = []
    faults = FaultCounter(lines.append)
    for clock.now in (0.0, 0.5, 1.0, 1.5):
        for reason in ('no width', 'no height'):
            faults.add('front', 'unusable image', reason)
    assert [line.split(': ')[-1] for line in lines] == ['no width', 'no height']


def test_endless_different_faults_take_no_memory(clock: Clock) -> None:
    faults = FaultCounter(lambda _: None)
    for number in range(1000):
        faults.add('front', 'unusable image', 'x' * number)
    assert clock.now == 0.0
    assert len(faults._faults) <= 101


@pytest.mark.usefixtures('clock')
def test_one_camera_does_not_silence_another() -> None:
    lines: list[str] = []
    faults = FaultCounter(lines.append)
    for camera in ('left', 'right', 'left'):
        faults.add(camera, 'frame lost', 'x')
    assert lines == [f'camera {name!r}: frame lost (1 so far): x' for name in ('left', 'right')]


def test_the_latest_fault_is_known_until_it_is_over(clock: Clock) -> None:
    faults = FaultCounter(lambda _: None)
    assert faults.latest('front') == ''
    faults.add('front', 'unusable image', 'first')
    faults.add('front', 'unusable image', 'second')
    faults.add('rear', 'unusable image', 'other')
    assert faults.latest('front') == faults.latest('front') == 'unusable image: second'
    clock.now = LATEST_S + 0.1
    # The camera may be slow: its next frame decides.
    assert faults.latest('front', since=0.1) == 'unusable image: second'
    faults.good_frame('front')
    assert faults.latest('front') == ''
    assert faults.latest('front', since=0.0) == 'unusable image: second'
    assert faults.latest('front', since=0.1) == ''
    assert faults.latest('rear') == 'unusable image: other'


def test_good_frames_in_between_do_not_hide_a_fault_at_once(clock: Clock) -> None:
    faults = FaultCounter(lambda _: None)
    faults.add('front', 'unusable image', 'dark')
    clock.now = 0.1
    faults.good_frame('front')
    clock.now = LATEST_S - 0.1
    assert faults.latest('front') == 'unusable image: dark'
    clock.now = LATEST_S + 0.1
    assert faults.latest('front') == ''
