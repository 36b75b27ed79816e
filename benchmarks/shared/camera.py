# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A camera that publishes the same pictures at a steady rate, as a child process.

Requests: ``start`` with topic, transport, width, height, rate and, optionally, reliable, which
replies when there is a subscriber; ``stop``, which replies with the stamps of all images,
nanoseconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

from collections.abc import Sequence
import gc
import itertools
import threading
import time
from typing import Any

from benchmarks.shared.dialogue import reply, requests
from benchmarks.shared.pictures import message, pictures, StampedMessage
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import CompressedImage, Image

_MESSAGE_TYPES = {'raw': Image, 'compressed': CompressedImage}
# As usb_cam publishes.
_RELIABLE_QOS = QoSProfile(depth=100)
_PATIENCE_S = 30.0


class Camera:
    """
    Publishes images until it is closed.

    Args:
        node: node of the publisher.
        topic: topic of the images.
        transport: ``'raw'`` or ``'compressed'``.
        messages: the images, published one after the other, again and again.
        rate: images per second.
        reliable: publish reliably; otherwise as sensor data, best effort.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        transport: str,
        messages: Sequence[StampedMessage],
        rate: float,
        *,
        reliable: bool,
    ) -> None:
        self.stamps: list[int] = []
        self._node, self._messages, self._rate = node, messages, rate
        self._publisher = node.create_publisher(
            _MESSAGE_TYPES[transport],
            topic,
            _RELIABLE_QOS if reliable else qos_profile_sensor_data,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start publishing as soon as there is a subscriber."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self._publisher.get_subscription_count():
            if time.monotonic() > deadline:
                raise TimeoutError(f'{self._publisher.topic_name} has no subscriber')
            time.sleep(0.01)
        self._thread.start()

    def close(self) -> None:
        """Stop publishing and destroy the publisher."""
        self._stop.set()
        self._thread.join()
        self._node.destroy_publisher(self._publisher)

    def _run(self) -> None:
        begin = time.monotonic()
        for number, each in enumerate(itertools.cycle(self._messages)):
            # Do not catch up after a delay: a camera does not publish faster than its rate.
            due = begin + number / self._rate
            if (late := time.monotonic() - due) > 1.0 / self._rate:
                begin += late
            if self._stop.wait(max(0.0, -late)):
                return
            stamp = time.monotonic_ns()
            self._publisher.publish(each.with_stamp(stamp))
            self.stamps.append(stamp)


def main() -> None:
    """Handle the requests of the parent process."""
    # Pauses for garbage collection would count as the node's latency.
    gc.disable()
    rclpy.init()
    node = rclpy.create_node('benchmark_camera')
    known: dict[tuple[Any, ...], list[StampedMessage]] = {}
    camera: Camera | None = None
    for request in requests():
        if request['what'] == 'start':
            kind = (request['transport'], request['width'], request['height'])
            if kind not in known:
                shown = pictures(request['width'], request['height'])
                known[kind] = [StampedMessage(message(each, kind[0])) for each in shown]
            camera = Camera(
                node,
                request['topic'],
                kind[0],
                known[kind],
                request['rate'],
                reliable=request.get('reliable', False),
            )
            camera.start()
            reply('started')
        elif camera is not None:
            camera.close()
            reply(camera.stamps)
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
