# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera and a detector that publish messages of the tests."""

from __future__ import annotations

import threading
import time
from typing import Any

from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from support.waiting import Collected
from vision_msgs.msg import Detection2D, Detection2DArray


class Camera:
    """
    Publishes an image repeatedly, with a new stamp each time.

    ``clock_ahead_ns`` changes its clock, and ``period_s`` its rate.

    Args:
        node: node of the publisher.
        topic: topic of the images.
        message_type: Image or CompressedImage.
        frame_id: frame in each header.
    """

    def __init__(
        self, node: Any, topic: str, message_type: type = Image, frame_id: str = 'camera_frame'
    ) -> None:
        self._node = node
        self._publisher = node.create_publisher(message_type, topic, qos_profile_sensor_data)
        self._frame_id = frame_id
        self._message: Any = None
        self._stop = threading.Event()
        self.clock_ahead_ns = 0
        self.period_s = 0.04
        self.stamps: Collected[int] = Collected()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def show(self, message: Any) -> None:
        """Publish a message from now on; None = publish nothing."""
        self._message = message

    def close(self) -> None:
        """Stop publishing and destroy the publisher."""
        self._stop.set()
        self._thread.join()
        self._node.destroy_publisher(self._publisher)

    def _run(self) -> None:
        while not self._stop.wait(self.period_s):
            message = self._message
            if message is None:
                continue
            now = time.time_ns() + self.clock_ahead_ns
            message.header.frame_id = self._frame_id
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
            self._publisher.publish(message)
            self.stamps.append(now)


class Detector:
    """
    Publishes the same boxes for each image.

    ``boxes`` can be changed, and ``late_ns`` is added to the stamps of the images.

    Args:
        node: node of the publisher and the subscription.
        image_topic: topic of the images.
        topic: topic of the boxes.
        message_type: Image or CompressedImage.
    """

    def __init__(
        self, node: Any, image_topic: str, topic: str, message_type: type = Image
    ) -> None:
        self.boxes: list[Detection2D] = []
        self.late_ns = 0
        self._publisher = node.create_publisher(Detection2DArray, topic, 10)
        node.create_subscription(message_type, image_topic, self._detect, qos_profile_sensor_data)

    def _detect(self, image: Any) -> None:
        found = Detection2DArray(header=image.header, detections=self.boxes)
        found.header.stamp.nanosec += self.late_ns
        self._publisher.publish(found)
