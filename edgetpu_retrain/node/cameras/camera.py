# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera: subscribes to a camera's images and detections, and passes them on as frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, ExitStack
import time
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.cameras.delivery_watch import DeliveryWatch
from edgetpu_retrain.node.cameras.detection_input import DetectionInput
from edgetpu_retrain.node.cameras.image_transport import IMAGE_TRANSPORTS
from edgetpu_retrain.node.cameras.message_header import stamp_ns
from edgetpu_retrain.node.cameras.sensor_subscription import SensorSubscription
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.parameters.values import CameraParameters
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.pictures.unsupported import unsupported_type
from edgetpu_retrain.wording import named
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CompressedImage, Image

_COMPRESSED_TYPE = 'sensor_msgs/msg/CompressedImage'
_MESSAGE_TYPES = {'raw': Image, 'compressed': CompressedImage}


class Camera:
    """
    Subscribes to a camera's images, and to its detections if it has any.

    Args:
        node: creates the subscriptions.
        parameters: the camera's parameters.
        offer: called with each frame; must not block.
        statistics: counts the detections.
        group: callback group of the subscriptions.

    Attributes:
        name: name of the camera.
        topic: resolved topic of the images.
        detections_topic: resolved topic of the detections; ``''`` without detections.
        parameters: the current parameters; when they change, assign the new ones.

    Raises:
        RequestError: if the name of a topic or a QoS override is invalid.
    """

    def __init__(
        self,
        node: Node,
        parameters: CameraParameters,
        offer: Callable[[Frame], None],
        statistics: FrameStatistics,
        group: CallbackGroup,
    ) -> None:
        self.name = parameters.name
        self.parameters = parameters
        self._transport = IMAGE_TRANSPORTS[parameters.image_transport]
        self._offer = offer
        self._source = PictureSource(
            lambda text: node.get_logger().warning(f'camera {self.name!r}: {text}'),
            parameters.bits,
            f'{self.name}.bits',
        )
        self.detections_topic = ''
        self._detections: DetectionInput | None = None
        with ExitStack() as stack:
            with _subscribing(self.name, 'image_topic', parameters.image_topic):
                # As in image_transport, the suffix is appended after remapping.
                self.topic = node.resolve_topic_name(parameters.image_topic)
                self.topic += self._transport.topic_suffix
                self._subscription = SensorSubscription(
                    node,
                    _MESSAGE_TYPES[parameters.image_transport],
                    self.topic,
                    self._receive,
                    group,
                    qos_profile_sensor_data.depth,
                )
            stack.callback(self._subscription.close)
            if parameters.detections_topic:
                with _subscribing(self.name, 'detections_topic', parameters.detections_topic):
                    self._detections = DetectionInput(
                        node, lambda: self.parameters, offer, statistics, group
                    )
                self.detections_topic = self._detections.topic
                stack.callback(self._detections.close)
            self._stack = stack.pop_all()
        self._delivery = self._new_delivery_watch()

    def close(self) -> None:
        """Unsubscribe."""
        self._stack.close()

    @property
    def is_outdated(self) -> bool:
        """Whether the offered reliability has changed, so that :meth:`renew` is needed."""
        return any(each.is_outdated for each in self._subscriptions)

    def renew(self) -> None:
        """
        Renew each outdated subscription, with the reliability that its publishers offer.

        No executor may run the callback group during the call.
        """
        for each in self._subscriptions:
            if each.is_outdated:
                each.renew()
        # Images lost before or during the change say nothing about the new subscription.
        self._delivery = self._new_delivery_watch()

    @property
    def reliability(self) -> str:
        """The reliability of the image subscription, in words for the log."""
        return 'reliably' if self._subscription.is_reliable else 'best effort'

    @property
    def loss(self) -> float:
        """The estimated share of recently published images that did not arrive, 0 to 1."""
        return self._delivery.loss(time.monotonic())

    def check_delivery(self) -> str:
        """Return a message if published images or detections do not arrive; '' = no problem."""
        if types := self._subscription.foreign_types:
            wanted = self._subscription.type_name
            return (
                f'camera {self.name!r}: {self.topic} is of type {named(types)}, and not {wanted}: '
                f'{self._cure_of_types(types)}'
            )
        for each in self._subscriptions:
            if publishers := each.incompatible_publishers:
                return (
                    f'camera {self.name!r}: qos_overrides ask for reliable messages on '
                    f'{each.topic}, which {named(publishers)} publishes best '
                    'effort, so none arrives: remove the override'
                )
        return self._delivery.check(
            self._subscription.publisher_count,
            time.monotonic(),
            reliable=self._subscription.is_reliable,
        )

    def _cure_of_types(self, types: Sequence[str]) -> str:
        if videos := [text for each in types if (text := unsupported_type(each))]:
            return f'it is {videos[0]}'
        suffix = IMAGE_TRANSPORTS['compressed'].topic_suffix
        if _COMPRESSED_TYPE in types and self.topic.endswith(suffix):
            topic = self.topic.removesuffix(suffix)
            return (
                f'set {self.name}.image_transport to compressed, and {self.name}.image_topic to '
                f'{topic}, to which the suffix is added'
            )
        return f'set {self.name}.image_topic to a topic of images'

    @property
    def _subscriptions(self) -> list[SensorSubscription]:
        detections = [] if self._detections is None else [self._detections.subscription]
        return [self._subscription, *detections]

    def _new_delivery_watch(self) -> DeliveryWatch:
        fast_dds = 'fastrtps' in get_rmw_implementation_identifier()
        return DeliveryWatch(self.name, self.topic, fast_dds=fast_dds)

    def _receive(self, message: Any, number: int | None) -> None:
        now = time.monotonic()
        self._delivery.image_arrived(stamp_ns(message.header) / 1e9, number, now)
        self._source.bits = self.parameters.bits
        region = self.parameters.roi
        frame = Frame(self.name, self._transport, message, now, region, source=self._source)
        self._offer(frame)
        if self._detections is not None:
            self._detections.image_arrived(frame)


@contextmanager
def _subscribing(camera: str, parameter: str, topic: str) -> Iterator[None]:
    """If rclpy rejects the subscription, raise a RequestError that names the parameter."""
    try:
        yield
    except MemoryError:
        raise
    # rclpy has no common exception for invalid topic names and invalid QoS overrides.
    except Exception as error:
        raise RequestError(
            f'camera {camera!r} cannot subscribe to {topic!a}: set {camera}.{parameter} to the '
            'name of a topic and qos_overrides to what ROS knows '
            f'({" ".join(str(error).split())})'
        ) from error
