# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Detections that no image can be found for, with a real node and real messages."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.node.cameras.detection_input import DetectionInput
from edgetpu_retrain.node.cameras.detections import MOST_DETECTIONS
from edgetpu_retrain.node.cameras.image_transport import RAW
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.newest_frames import Frame
import pytest
from support.lone_node import LoneNode
from support.running_node import box_message, image_message, pattern
from vision_msgs.msg import Detection2DArray

BOX = box_message('one', 32, 24, 20, 20)


class Inputs(LoneNode):
    """A camera's detections, and what they and its images come to."""

    def __init__(self) -> None:
        super().__init__('detecting')
        self.offered: list[Frame] = []
        self.statistics = FrameStatistics()
        self.parameters: Any = SimpleNamespace(
            name='front', detections_topic='/boxes', detections_timeout_s=60.0, max_detections=9
        )
        self.detections = DetectionInput(
            self.node,
            lambda: self.parameters,
            self.offered.append,
            self.statistics,
            self.node.default_callback_group,
        )

    def receive(self, seconds: int) -> None:
        message = Detection2DArray(detections=[BOX])
        message.header.stamp.sec = seconds
        self.detections._receive(message, None)

    def image_arrives(self, seconds: int) -> None:
        message = image_message(pattern(1))
        message.header.stamp.sec = seconds
        self.detections.image_arrived(Frame('front', RAW, message, 0.0))

    @property
    def unmatched(self) -> int:
        return self.statistics.summary('front').detections['detections unmatched']

    def close(self) -> None:
        self.detections.close()
        super().close()


@pytest.fixture
def inputs() -> Iterator[Inputs]:
    inputs = Inputs()
    yield inputs
    inputs.close()


def test_an_image_may_come_after_its_detections(inputs: Inputs) -> None:
    inputs.receive(7)
    assert inputs.offered == []
    inputs.image_arrives(7)
    (frame,) = inputs.offered
    assert [box.id for box in frame.detections.detections] == ['one']


def test_the_timer_follows_the_timeout(inputs: Inputs) -> None:
    (timer,) = inputs.node.timers
    assert timer.timer_period_ns == 500_000_000
    for timeout_s, period_ns in ((0.01, 10_000_000), (60.0, 500_000_000)):
        inputs.parameters.detections_timeout_s = timeout_s
        inputs.receive(1)
        assert timer.timer_period_ns == period_ns
        assert timer.time_until_next_call() <= period_ns


def test_detections_without_a_stamp_are_logged_with_the_remedy(
    inputs: Inputs, capfd: pytest.CaptureFixture[str]
) -> None:
    inputs.receive(0)
    inputs.image_arrives(0)
    assert inputs.offered == []
    assert inputs.unmatched == 1
    assert 'make the detector copy the header of the image' in capfd.readouterr().err


def test_of_too_many_waiting_detections_the_oldest_are_logged(
    inputs: Inputs, capfd: pytest.CaptureFixture[str]
) -> None:
    for seconds in range(1, MOST_DETECTIONS + 2):
        inputs.receive(seconds)
    assert inputs.unmatched == 1
    assert 'too many wait for their image' in capfd.readouterr().err
    inputs.image_arrives(1)
    assert inputs.offered == []
    inputs.image_arrives(2)
    assert len(inputs.offered) == 1
