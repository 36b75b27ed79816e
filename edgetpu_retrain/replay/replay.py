# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Replay: the images of a bag, published as a camera would at the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
import heapq
from pathlib import Path
import time
from types import TracebackType
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag, RecordedMessage
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

_MESSAGE_CLASSES = {
    'sensor_msgs/msg/Image': Image,
    'sensor_msgs/msg/CompressedImage': CompressedImage,
}

# Reliable: a listener that asks for it gets every image; a node that reads as sensor data is
# served as by any camera.
_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)

_DISCOVERY_PERIOD_S = 0.05
_ACKNOWLEDGEMENT = Duration(seconds=5)


class Replay:
    """
    The topics of pictures of one bag, open for playing; to be used as a context manager.

    Messages are handed on as the bytes that were recorded, so their stamps are the recorded ones.

    Args:
        node: publishes, on the names that the topics had.
        path: the bag.
        parts: which images, a topic each.

    Raises:
        RequestError: when there is no such bag or topic, or a topic holds no pictures.
        RecordingError: when the bag cannot be read.
    """

    def __init__(self, node: Node, path: Path, parts: Sequence[BagPart]) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._bags = ExitStack()
        self._images: dict[str, ImageBag] = {}
        self._publishers: dict[str, Any] = {}
        try:
            for part in parts:
                self._images[part.topic] = self._bags.enter_context(ImageBag(path, part))
            for topic, bag in self._images.items():
                kind = _MESSAGE_CLASSES[bag.message_type]
                self._publishers[topic] = node.create_publisher(kind, topic, _QOS)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Replay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def topics(self) -> dict[str, int]:
        """Names under which images are published, remappings applied, to their numbers."""
        return {
            self._publishers[topic].topic_name: len(bag) for topic, bag in self._images.items()
        }

    def close(self) -> None:
        """Leave the topics and close the bag."""
        self._bags.close()
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers.clear()
        self._executor.shutdown()

    def wait_for_listeners(self, count: int) -> None:
        """
        Wait until so many subscriptions listen to each topic.

        Raises:
            ExternalShutdownException: when ROS ends meanwhile.
        """
        while any(each.get_subscription_count() < count for each in self._publishers.values()):
            self._executor.spin_once(timeout_sec=_DISCOVERY_PERIOD_S)

    def play(self, rate: float) -> int:
        """
        Publish all images once, in the order and with the spacing of their recording.

        What is late is published at once and not left out, so it ends later then.

        Args:
            rate: how many times as fast as it was recorded.

        Returns:
            How many images were published.

        Raises:
            RecordingError: when the bag is damaged from some image on; those before are played.
            ExternalShutdownException: when ROS ends meanwhile.
        """
        check_rate(rate)
        played = 0
        begin: float | None = None
        for topic, message in self._in_order():
            due = message.seconds / rate
            if begin is None:
                begin = time.monotonic() - due
            self._wait_until(begin + due)
            self._publishers[topic].publish(message.content)
            played += 1
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(_ACKNOWLEDGEMENT)
        return played

    def _in_order(self) -> Iterator[tuple[str, RecordedMessage]]:
        def of(topic: str, bag: ImageBag) -> Iterator[tuple[str, RecordedMessage]]:
            return ((topic, message) for message in bag.messages())

        return heapq.merge(
            *(of(topic, bag) for topic, bag in self._images.items()),
            key=lambda each: each[1].seconds,
        )

    def _wait_until(self, moment: float) -> None:
        # Also when it is late: a signal must end it at any rate.
        self._executor.spin_once(timeout_sec=0.0)
        while (left := moment - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left)


def check_rate(rate: float) -> None:
    """
    Refuse a rate at which nothing can be played.

    Raises:
        RequestError: when it is not from 0.01 to 1000.
    """
    if not 0.01 <= rate <= 1000.0:
        raise RequestError(f'rate is {rate:g}: give one from 0.01 to 1000; 1 is as recorded')
