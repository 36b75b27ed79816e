# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera: one subscription, whose callback only hands the newest image over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, ExitStack
import time
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.cameras.detection_input import DetectionInput
from edgetpu_retrain.node.cameras.image_transport import IMAGE_TRANSPORTS
from edgetpu_retrain.node.cameras.sensor_data import sensor_data_qos
from edgetpu_retrain.node.cameras.silence_watch import SilenceWatch
from edgetpu_retrain.node.frames.frame_statistics import FrameStatistics
from edgetpu_retrain.node.frames.newest_frames import Frame
from edgetpu_retrain.node.older_rclpy import publisher_count
from edgetpu_retrain.node.parameters.values import CameraParameters
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CompressedImage, Image

_MESSAGE_TYPES = {'raw': Image, 'compressed': CompressedImage}


class Camera:
    """
    Subscribes to one camera's images, with sensor-data QoS unless ``qos_overrides`` say else.

    ``name`` is the camera's, ``topic`` the resolved one its images come on; ``parameters`` can
    be replaced by later ones, of which those that can change live take effect.

    Args:
        node: whose subscription it is.
        parameters: of this camera.
        offer: takes each image; must not wait for anything.
        statistics: is told what became of detections.
        group: in which its messages are received.

    Raises:
        RequestError: when a topic's name or an override of its QoS is impossible.
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
        self._node = node
        self._detections: DetectionInput | None = None
        with ExitStack() as stack:
            with _subscribing(self.name, 'image_topic', parameters.image_topic):
                # Remapping is for the image topic; the transport's own follows from what it
                # became.
                self.topic = node.resolve_topic_name(parameters.image_topic)
                self.topic += self._transport.topic_suffix
                self._subscription = node.create_subscription(
                    _MESSAGE_TYPES[parameters.image_transport],
                    self.topic,
                    self._receive,
                    sensor_data_qos(),
                    callback_group=group,
                    qos_overriding_options=QoSOverridingOptions.with_default_policies(),
                )
            stack.callback(node.destroy_subscription, self._subscription)
            if parameters.detections_topic:
                with _subscribing(self.name, 'detections_topic', parameters.detections_topic):
                    self._detections = DetectionInput(
                        node, lambda: self.parameters, offer, statistics, group
                    )
                stack.callback(self._detections.close)
            self._stack = stack.pop_all()
        fast_dds = 'fastrtps' in get_rmw_implementation_identifier()
        self._silence = SilenceWatch(self.name, self.topic, fast_dds=fast_dds)

    def close(self) -> None:
        """Leave the topics."""
        self._stack.close()

    @property
    def detections_topic(self) -> str:
        """The resolved topic of the detections, '' when there is none."""
        return self._detections.topic if self._detections is not None else ''

    def check_silence(self) -> str | None:
        """Return a sentence for the log when a publisher is there but its images are not."""
        publishers = publisher_count(self._node, self._subscription)
        return self._silence.check(publishers, time.monotonic())

    @property
    def is_silent(self) -> bool:
        """Whether a silence was told and goes on."""
        return self._silence.is_reported

    def _receive(self, message: Any) -> None:
        now = time.monotonic()
        self._silence.image_arrived(now)
        frame = Frame(self.name, self._transport, message, now, self.parameters.roi)
        self._offer(frame)
        if self._detections is not None:
            self._detections.image_arrived(frame)


@contextmanager
def _subscribing(camera: str, parameter: str, topic: str) -> Iterator[None]:
    """Raise RequestError that names the parameter when rclpy refuses a subscription."""
    try:
        yield
    # rclpy has no common type for refused names, overrides and values of overrides.
    except Exception as error:
        raise RequestError(
            f'camera {camera!r} cannot subscribe to {topic!a}: set {camera}.{parameter} to the '
            'name of a topic and qos_overrides to what ROS knows '
            f'({" ".join(str(error).split())})'
        ) from error
