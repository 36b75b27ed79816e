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
        self._publishing = threading.Lock()
        self._stop = threading.Event()
        self.clock_ahead_ns = 0
        self.period_s = 0.04
        self.stamps: Collected[int] = Collected()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def show(self, message: Any) -> int:
        """
        Publish a message from now on; None = publish nothing.

        Returns:
            Nanoseconds; images with this stamp or a later one are of this message.
        """
        with self._publishing:
            self._message = message
            return time.time_ns() + self.clock_ahead_ns

    def stop(self) -> Any:
        """Stop publishing, and return the publisher, to be destroyed where the node spins."""
        self._stop.set()
        self._thread.join()
        return self._publisher

    def _run(self) -> None:
        while not self._stop.wait(self.period_s):
            with self._publishing:
                if self._message is not None:
                    self._publish(self._message)

    def _publish(self, message: Any) -> None:
        now = time.time_ns() + self.clock_ahead_ns
        message.header.frame_id = self._frame_id
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
        # Before it is published: what comes of it may arrive at once.
        self.stamps.append(now)
        self._publisher.publish(message)


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
