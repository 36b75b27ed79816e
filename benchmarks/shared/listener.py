# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A subscriber that records when messages arrive, as a child process.

Requests: ``start`` with topic, type (``raw``, ``compressed`` or ``classification``) and,
optionally, reliable, which replies when the subscription exists; ``stop``, which replies with
pairs of stamp and arrival, nanoseconds of CLOCK_MONOTONIC.  Only the stamp of a message is read,
so that an image's transport time contains no deserialization.
"""

from __future__ import annotations

import gc
import struct
import time
from typing import Any

from benchmarks.shared.dialogue import reply, requests
from benchmarks.shared.ros_session import spinning_node
from rclpy.qos import qos_profile_sensor_data, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Classification

_TYPES = {'raw': Image, 'compressed': CompressedImage, 'classification': Classification}
# Deep enough to lose nothing while the listener is late.
_CLASSIFICATION_QOS = QoSProfile(depth=100)


class Listener:
    """Records the messages of one topic."""

    def __init__(self, kind: str, *, reliable: bool = False) -> None:
        self.message_type = _TYPES[kind]
        self.qos = qos_profile_sensor_data
        if kind == 'classification':
            self.qos = _CLASSIFICATION_QOS
        elif reliable:
            self.qos = QoSProfile(
                depth=qos_profile_sensor_data.depth, reliability=ReliabilityPolicy.RELIABLE
            )
        self.arrivals: list[tuple[int, int]] = []

    def receive(self, message: bytes) -> None:
        """Record an arrival."""
        now = time.monotonic_ns()
        order = '<' if message[1] == 1 else '>'
        sec, nanosec = struct.unpack_from(f'{order}iI', message, 4)
        self.arrivals.append((sec * 10**9 + nanosec, now))


def main() -> None:
    """Handle the requests of the parent process."""
    # Pauses for garbage collection would count as the node's latency.
    gc.disable()
    listener = Listener('raw')
    subscription: Any = None
    with spinning_node('benchmark_listener') as node:
        for request in requests():
            if request['what'] == 'start':
                listener = Listener(request['type'], reliable=request.get('reliable', False))
                subscription = node.create_subscription(
                    listener.message_type,
                    request['topic'],
                    listener.receive,
                    listener.qos,
                    raw=True,
                )
                node.executor.wake()
                reply('started')
            else:
                # In the thread that waits for its messages.
                ended = node.executor.create_task(node.destroy_subscription, subscription)
                while not ended.done():
                    time.sleep(0.01)
                reply(listener.arrivals)


if __name__ == '__main__':
    main()
