# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.health import fault_counter
from edgetpu_retrain.node.health.fault_counter import FaultCounter
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


def test_every_fault_is_counted_and_one_a_second_is_logged(clock: Clock) -> None:
    lines: list[str] = []
    faults = FaultCounter(lines.append)
    for at in range(25):
        clock.now = at / 10
        faults.add('front', 'unusable image', f'reason {at}')
    assert lines == [
        "camera 'front': unusable image (1 so far): reason 0",
        "camera 'front': unusable image (11 so far): reason 10",
        "camera 'front': unusable image (21 so far): reason 20",
    ]


@pytest.mark.usefixtures('clock')
def test_one_camera_does_not_silence_another() -> None:
    lines: list[str] = []
    faults = FaultCounter(lines.append)
    for camera in ('left', 'right', 'left'):
        faults.add(camera, 'frame lost', 'x')
    assert lines == [f'camera {name!r}: frame lost (1 so far): x' for name in ('left', 'right')]


@pytest.mark.usefixtures('clock')
def test_the_latest_fault_is_returned_once() -> None:
    faults = FaultCounter(lambda _: None)
    assert faults.latest('front') == ''
    faults.add('front', 'unusable image', 'first')
    faults.add('front', 'unusable image', 'second')
    faults.add('rear', 'unusable image', 'other')
    assert faults.latest('front') == 'unusable image: second'
    assert faults.latest('front') == ''
