# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DetectionInput: subscribes to a camera's detections, and matches them with its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import time
from typing import Any

from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.node.cameras.detections import (
    check_detections,
    DetectionMatcher,
    most_certain,
)
from edgetpu_retrain.node.cameras.message_header import stamp_ns
from edgetpu_retrain.node.cameras.sensor_subscription import SensorSubscription
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.health.fault_counter import FaultCounter
from edgetpu_retrain.node.parameters.values import CameraParameters
from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from vision_msgs.msg import Detection2DArray

_LONGEST_WATCH_PERIOD_S = 0.5

# Depth of the subscription's queue, messages, for detectors that publish in bursts.
_DEPTH = 10


class DetectionInput:
    """
    Subscribes to detections, and offers each image with the detections of the same stamp.

    Not thread-safe: call :meth:`image_arrived` in the thread that runs the callback group, and
    :meth:`close` while no thread runs it.

    Args:
        node: creates the subscription.
        parameters: returns the camera's current parameters.
        offer: called with each image and its detections as a frame; must not block.
        statistics: counts the detections.
        group: callback group of the subscription.

    Raises:
        Exception: if the name of the topic or a QoS override is invalid.
    """

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], CameraParameters],
        offer: Callable[[Frame], None],
        statistics: FrameStatistics,
        group: CallbackGroup,
    ) -> None:
        self._node = node
        self._parameters = parameters
        self._offer = offer
        self._statistics = statistics
        self._camera = parameters().name
        statistics.count(self._camera, 'detections received', 0)
        self._matcher = DetectionMatcher()
        self._faults = FaultCounter(lambda text: node.get_logger().warning(text))
        self.topic = node.resolve_topic_name(parameters().detections_topic)
        self.subscription = SensorSubscription(
            node, Detection2DArray, self.topic, self._receive, group, _DEPTH
        )
        # With use_sim_time, the node's own clock can stop or jump.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_LONGEST_WATCH_PERIOD_S, self._expire, group, clock=steady)
        self._follow_timeout()

    def close(self) -> None:
        """Destroy the subscription and the timer."""
        self._node.destroy_timer(self._timer)
        self.subscription.close()

    def image_arrived(self, frame: Frame) -> None:
        """Offer an image if its detections have arrived; otherwise let it wait for them."""
        self._expire()
        if (matched := self._matcher.add_image(frame)) is not None:
            self._offer(matched)

    def _receive(self, message: Any, _number: int | None) -> None:
        self._statistics.count(self._camera, 'detections received')
        self._expire()
        if not stamp_ns(message.header):
            self._lose('their stamp is 0: make the detector copy the header of the image')
            return
        try:
            check_detections(message)
        except ImageError as error:
            self._statistics.count(self._camera, 'detections lost')
            self._faults.add(self._camera, 'unusable detections', str(error))
            return
        self._keep_most_certain(message)
        for detection in message.detections:
            # The detector's hypotheses are no longer needed, and take most of the memory.
            detection.results = []
        matched, dropped = self._matcher.add_detections(message, time.monotonic())
        if matched is not None:
            # The measured latency must not include the time that the detector takes.
            self._offer(replace(matched, arrived=time.monotonic()))
        for _ in dropped:
            self._lose('too many wait for their image')

    def _keep_most_certain(self, message: Any) -> None:
        most = self._parameters().max_detections
        excess = len(message.detections) - most
        if excess <= 0:
            return
        self._statistics.count(self._camera, 'boxes skipped', excess)
        reason = (
            f'{len(message.detections)} boxes in one image; the {most} of the highest scores are '
            f'classified: make the detector send fewer, or raise {self._camera}.max_detections'
        )
        self._faults.add(self._camera, 'too many detections', reason)
        message.detections = most_certain(message.detections, most)

    def _expire(self) -> None:
        self._follow_timeout()
        longest = self._parameters().detections_timeout_s
        for message in self._matcher.expire(time.monotonic(), longest):
            stamp = message.header.stamp
            self._lose(
                f'no image of stamp {stamp.sec}.{stamp.nanosec:09d} came within {longest:g} s on '
                'the image topic: the detector must take the same images and copy their header '
                f'(raise {self._camera}.detections_timeout_s when it is slow)',
            )

    def _follow_timeout(self) -> None:
        """Limit the timer's period to the current value of ``detections_timeout_s``."""
        period = min(_LONGEST_WATCH_PERIOD_S, self._parameters().detections_timeout_s)
        if self._timer.timer_period_ns != round(period * 1e9):
            self._timer.timer_period_ns = round(period * 1e9)
            self._timer.reset()

    def _lose(self, reason: str) -> None:
        self._statistics.count(self._camera, 'detections unmatched')
        self._faults.add(self._camera, 'detections without an image', reason)
