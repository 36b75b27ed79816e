# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera's subscription, on a real node."""

from __future__ import annotations

from collections.abc import Iterator
import time
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.node.cameras.camera import Camera
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
import pytest
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from support.lone_node import LoneNode
from support.waiting import PATIENCE_S


@pytest.fixture
def lone_node() -> Iterator[LoneNode]:
    created = LoneNode('listener', enable_rosout=False)
    yield created
    created.close()


def test_a_new_subscription_does_not_report_the_losses_of_the_old_one(
    lone_node: LoneNode,
) -> None:
    node = lone_node.node
    parameters: Any = SimpleNamespace(
        name='front',
        image_topic='/image',
        image_transport='raw',
        detections_topic='',
        roi=None,
        bits=16,
    )
    statistics, group = FrameStatistics(), node.default_callback_group
    camera = Camera(node, parameters, lambda _frame: None, statistics, group)
    # One publisher, whose numbers count.
    camera._delivery.check(1, time.monotonic(), reliable=False)
    # Every third image arrives.
    for number in range(1, 300, 3):
        camera._receive(Image(), number)
    assert camera.loss > 0.5
    node.create_publisher(Image, '/image', QoSProfile(depth=5))
    deadline = time.monotonic() + PATIENCE_S
    while not camera.is_outdated:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    camera.renew()
    assert camera.loss == 0.0
    assert camera.reliability == 'reliably'
    camera.close()
