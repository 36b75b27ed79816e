# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A camera in a process of its own: publishes the same pictures at a steady rate.

Requests: ``start`` with topic, transport, width, height and rate, answered when somebody listens;
``stop``, answered with the stamps of all that was published, nanoseconds of CLOCK_MONOTONIC.
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
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image

_MESSAGE_TYPES = {'raw': Image, 'compressed': CompressedImage}
_PATIENCE_S = 30.0


class Camera:
    """
    Publishes until it is closed.

    Args:
        node: publishes for it.
        topic: of the images.
        transport: ``'raw'`` or ``'compressed'``.
        messages: what to publish, one after the other.
        rate: a second.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        transport: str,
        messages: Sequence[StampedMessage],
        rate: float,
    ) -> None:
        self.stamps: list[int] = []
        self._node, self._messages, self._rate = node, messages, rate
        self._publisher = node.create_publisher(
            _MESSAGE_TYPES[transport], topic, qos_profile_sensor_data
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin as soon as somebody listens."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self._publisher.get_subscription_count():
            if time.monotonic() > deadline:
                raise TimeoutError(f'nobody listens to {self._publisher.topic_name}')
            time.sleep(0.01)
        self._thread.start()

    def close(self) -> None:
        """Stop and leave the topic."""
        self._stop.set()
        self._thread.join()
        self._node.destroy_publisher(self._publisher)

    def _run(self) -> None:
        begin = time.monotonic()
        for number, each in enumerate(itertools.cycle(self._messages)):
            # What is late is not caught up with: a camera does not publish faster than it sees.
            due = begin + number / self._rate
            if (late := time.monotonic() - due) > 1.0 / self._rate:
                begin += late
            if self._stop.wait(max(0.0, -late)):
                return
            stamp = time.monotonic_ns()
            self._publisher.publish(each.with_stamp(stamp))
            self.stamps.append(stamp)


def main() -> None:
    """Do what the parent process asks for."""
    # Pauses of this process would be taken for the node's.
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
            camera = Camera(node, request['topic'], kind[0], known[kind], request['rate'])
            camera.start()
            reply('started')
        elif camera is not None:
            camera.close()
            reply(camera.stamps)
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
