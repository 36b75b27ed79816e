# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The floor of a live picture: a subscriber that encodes each image as JPEG, as a child process.

Requests: ``start`` with topic; ``stop``, which replies with pairs of stamp and the end of the
encoding, nanoseconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.shared.dialogue import reply, requests
from benchmarks.shared.ros_session import spinning_node
import cv2
import numpy as np
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

QUALITY = 75


class JpegListener:
    """Records when the JPEG of each image is complete."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[int, int]] = []

    def receive(self, image: Any) -> None:
        """Encode an rgb8 image and record the time."""
        rgb = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        stamp = image.header.stamp
        self.arrivals.append((stamp.sec * 10**9 + stamp.nanosec, time.monotonic_ns()))


def main() -> None:
    """Handle the requests of the parent process."""
    with spinning_node('benchmark_jpeg_listener') as node:
        for request in requests():
            if request['what'] == 'start':
                listener = JpegListener()
                subscription = node.create_subscription(
                    Image, request['topic'], listener.receive, qos_profile_sensor_data
                )
                node.executor.wake()
                reply('started')
            else:
                ended = node.executor.create_task(node.destroy_subscription, subscription)
                while not ended.done():
                    time.sleep(0.01)
                reply(listener.arrivals)


if __name__ == '__main__':
    main()
