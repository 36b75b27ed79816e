# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Replay: publishes the images of a bag with their recorded timing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
import heapq
from itertools import repeat
from pathlib import Path
import time
from typing import Any

from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag, RecordedMessage
from edgetpu_retrain.recordings.tally import Tally
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

_MESSAGE_CLASSES = {
    'sensor_msgs/msg/Image': Image,
    'sensor_msgs/msg/CompressedImage': CompressedImage,
}

# A reliable publisher matches reliable and best-effort subscriptions.  Images that a reliable
# subscription did not receive are sent again.
_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)

_DISCOVERY_PERIOD_S = 0.05
_ACKNOWLEDGEMENT_S = 5


class Replay:
    """
    Publishes the images of one bag.

    Messages are published as the recorded bytes, so they have the recorded stamps.

    Args:
        node: publishes the images on the recorded topics.
        path: path of the bag.
        parts: which images to publish, one part for each topic.
        stack: receives the bag and the executor, and closes them when the caller closes the stack.

    Raises:
        RequestError: if there is no such bag or topic, a topic has no images, or a part begins
            after the end of the bag.
        RecordingError: if the bag cannot be read.
    """

    def __init__(self, node: Node, path: Path, parts: Sequence[BagPart], stack: ExitStack) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor(context=node.context)
        stack.callback(self._executor.shutdown)
        self._executor.add_node(node)
        self._images: dict[str, ImageBag] = {}
        self._publishers: dict[str, Any] = {}
        for part in parts:
            self._images[part.topic] = stack.enter_context(ImageBag(path, part))
        for topic, bag in self._images.items():
            kind = _MESSAGE_CLASSES[bag.message_type]
            self._publishers[topic] = node.create_publisher(kind, topic, _QOS)

    @property
    def topics(self) -> dict[str, int]:
        """The number of images in the bag for each topic, by topic name after remapping."""
        return {
            self._publishers[topic].topic_name: len(bag) for topic, bag in self._images.items()
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Problems with the files of the bag, as messages for the user."""
        return tuple(dict.fromkeys(each for bag in self._images.values() for each in bag.notes))

    def summary(self) -> str:
        """
        Return how many images were found, played and left out in the last :meth:`play`.

        The text also has the reasons why images were left out, and lists truncated files.
        """
        tally = Tally()
        for bag in self._images.values():
            tally.found += bag.tally.found
            tally.left_out += bag.tally.left_out
        losses = dict.fromkeys(bag.loss for bag in self._images.values() if bag.loss)
        return '; '.join([tally.line('played', 'image', 'images'), *losses])

    def wait_for_nodes(self, names: Iterable[str]) -> None:
        """
        Wait until all the given nodes subscribe to each topic.

        Args:
            names: full names of the nodes.

        Raises:
            ExternalShutdownException: if ROS shuts down first.
        """
        wanted = {f'/{name.lstrip("/")}' for name in names}
        # A subscription may appear in the ROS graph before the publisher has matched it.
        self._spin_until(
            lambda publisher: (
                wanted <= self._subscribers(publisher)
                and publisher.get_subscription_count() >= len(wanted)
            )
        )

    def wait_for_listeners(self, count: int) -> None:
        """
        Wait until each topic has at least ``count`` subscriptions of any nodes.

        Raises:
            ExternalShutdownException: if ROS shuts down first.
        """
        self._spin_until(lambda publisher: publisher.get_subscription_count() >= count)

    def _spin_until(self, condition: Callable[[Any], bool]) -> None:
        while not all(condition(each) for each in self._publishers.values()):
            self._executor.spin_once(timeout_sec=_DISCOVERY_PERIOD_S)

    def _subscribers(self, publisher: Any) -> set[str]:
        """Return the full names of the nodes that subscribe to the topic of a publisher."""
        return {
            f'{each.node_namespace.rstrip("/")}/{each.node_name}'
            for each in self._node.get_subscriptions_info_by_topic(publisher.topic_name)
        }

    def play(self, rate: float) -> int:
        """
        Publish the selected images once, in the recorded order.

        The intervals between images are the recorded ones, divided by ``rate``.  If publishing is
        too slow, images are published late, but not dropped.  A warning is logged for each topic
        of which some images may not have reached all reliable subscriptions.

        Args:
            rate: playback speed relative to the recording, above 0.

        Returns:
            Number of published images.

        Raises:
            RecordingError: if the bag is damaged; the images before the damage are published.
            ExternalShutdownException: if ROS shuts down before the end.
        """
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
            if not publisher.wait_for_all_acked(Duration(seconds=_ACKNOWLEDGEMENT_S)):
                self._node.get_logger().warning(
                    f'a listener to {publisher.topic_name} has not confirmed the last images '
                    f'within {_ACKNOWLEDGEMENT_S} s, and may have missed some: check that it '
                    'still runs, and play with a lower --rate'
                )
        return played

    def _in_order(self) -> Iterator[tuple[str, RecordedMessage]]:
        topics = [zip(repeat(topic), bag.messages()) for topic, bag in self._images.items()]
        return heapq.merge(*topics, key=lambda each: each[1].seconds)

    def _wait_until(self, moment: float) -> None:
        # Spin even if an image is late, so that a signal ends the replay.
        self._executor.spin_once(timeout_sec=0.0)
        while (left := moment - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left)
