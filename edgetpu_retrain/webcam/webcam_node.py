# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The node ``webcam``: publishes images from a webcam or video file as sensor_msgs/Image.

The publisher is reliable, as those of usb_cam and v4l2_camera are, because large images get lost
with best effort (docs/large_images.md).  The stamp of an image is the time of its publication.
"""

from __future__ import annotations

from array import array
from contextlib import closing, ExitStack
import time

import edgetpu_retrain.needs_ros  # noqa: F401
from edgetpu_retrain.processes.joining import joining_domain
from edgetpu_retrain.processes.loose_parameters import declare_number, declare_text, declare_topic
from edgetpu_retrain.processes.node_program import run_node
from edgetpu_retrain.webcam.video_source import BgrArray, VideoSource
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import Image

NODE_NAME = 'webcam'

# Range of the parameters width and height, pixels, and of rate, Hz.
_SIZE = (1, 8192)
_RATE = (0.0, 240.0)
_QUEUE = 5
# Interval between calls of VideoSource.next_picture while a webcam is unavailable, seconds.
_IDLE_S = 0.1


class WebcamNode(Node):
    """
    Publishes images from the webcam or video file that its parameters select.

    Raises:
        RequestError: if a parameter is invalid.
        WebcamError: if the webcam or video file cannot be opened, or has no pictures.
        NodeError: if the middleware rejects the node.
    """

    def __init__(self) -> None:
        with joining_domain():
            super().__init__(NODE_NAME)
        source = declare_text(
            self, 'source', '0', 'a webcam or a video file, see docs/interface.md'
        )
        width = declare_number(self, 'width', 640, _SIZE, 'width of the images, pixels')
        height = declare_number(self, 'height', 480, _SIZE, 'height of the images, pixels')
        rate = declare_number(self, 'rate', 0.0, _RATE, 'images per second; 0 = suits the source')
        self._frame_id = declare_text(self, 'frame_id', 'camera', 'frame_id of the images')
        self._images = self.create_publisher(
            Image,
            declare_topic(self, 'image_topic', 'image_raw', 'topic of the images'),
            QoSProfile(depth=_QUEUE),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._source = VideoSource(
            source, (int(width), int(height)), rate, self.get_logger().warning
        )
        self.get_logger().info(
            f'{self._source.path} is published on {self._images.topic_name}: '
            f'{self._source.size[0]}x{self._source.size[1]} at {self._source.rate:g} Hz'
        )

    def publish_all(self, executor: SingleThreadedExecutor) -> None:
        """
        Publish images until ROS shuts down.

        Args:
            executor: an executor with this node.

        Raises:
            WebcamError: if the video file can no longer be read.
            ExternalShutdownException: if ROS shuts down.
        """
        period_s = 1.0 / self._source.rate
        due = time.monotonic()
        with closing(self._source):
            while True:
                picture = self._source.next_picture()
                now = time.monotonic()
                if picture is None:
                    _spin_until(executor, now + _IDLE_S)
                    continue
                # Skip pictures that a webcam sends above the requested rate.
                if now >= due - period_s / 10.0:
                    self._publish(picture)
                    due = max(due + period_s, now)
                _spin_until(executor, now if self._source.is_camera else due)

    def _publish(self, picture: BgrArray) -> None:
        height, width = picture.shape[:2]
        image = Image(
            height=height,
            width=width,
            encoding='bgr8',
            step=3 * width,
            # With any type but array, the message class checks each byte, which is slow.
            data=array('B', picture.tobytes()),
        )
        image.header.frame_id = self._frame_id
        image.header.stamp = self.get_clock().now().to_msg()
        self._images.publish(image)


def _spin_until(executor: SingleThreadedExecutor, moment: float) -> None:
    executor.spin_once(timeout_sec=0.0)
    while (left := moment - time.monotonic()) > 0.0:
        executor.spin_once(timeout_sec=left)


def run(arguments: list[str] | None = None) -> int:
    """
    Run the node until a signal.

    Args:
        arguments: the command line with ROS arguments; None = that of this process.

    Returns:
        The exit code: 0 after a signal, 1 if the webcam or file cannot be read or the middleware
        rejects the node, 2 for an invalid argument or parameter.
    """
    return run_node(arguments, _spin)


def _spin(_: ExitStack) -> None:
    node = WebcamNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.publish_all(executor)
