# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SensorSubscription: a subscription with the reliability that its publishers offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.node.older_rclpy import publisher_count
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import ParameterAlreadyDeclaredException
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, QoSReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

BEST_AVAILABLE = 'best_available'
"""Default of the reliability in ``qos_overrides``: the reliability that publishers offer."""

_RELIABILITIES = {
    BEST_AVAILABLE: None,
    'reliable': QoSReliabilityPolicy.RELIABLE,
    'best_effort': QoSReliabilityPolicy.BEST_EFFORT,
}


class SensorSubscription:
    """
    A subscription that is reliable if all publishers of its topic are, and otherwise best effort.

    Best effort is usual for sensor data, but with Fast DDS, a best-effort subscription loses half
    of the raw images of 640x480 from a reliable publisher (docs/large_images.md).  A reliable
    subscription receives nothing from a best-effort publisher.  Without publishers, the
    reliability stays as it is, at first best effort.  ``qos_overrides`` can set a fixed
    reliability.

    No executor may run the callback group while the subscription is created, renewed or closed.

    Args:
        node: creates the subscription.
        message_type: message type of the topic.
        topic: resolved name of the topic.
        callback: called with each message and its publication sequence number; the number is None
            on Humble, and if the middleware does not number messages.
        group: callback group of the subscription.
        depth: depth of the queue, messages.

    Raises:
        Exception: if the name of the topic or a QoS override is invalid.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        callback: Callable[[Any, int | None], None],
        group: CallbackGroup,
        depth: int,
    ) -> None:
        self.topic = topic
        self._node = node
        self._message_type = message_type
        self._callback = callback
        self._group = group
        self._depth = depth
        self._override = _reliability_override(node, topic)
        self._reliability = QoSReliabilityPolicy.BEST_EFFORT
        self._reliability = self._wanted_reliability()
        self._subscription = self._subscribe()

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)

    @property
    def is_outdated(self) -> bool:
        """Whether the offered reliability has changed, so that :meth:`renew` is needed."""
        return self._wanted_reliability() is not self._reliability

    def renew(self) -> None:
        """Subscribe again, with the reliability that the publishers offer."""
        self.close()
        self._reliability = self._wanted_reliability()
        self._subscription = self._subscribe()

    @property
    def is_reliable(self) -> bool:
        """Whether the subscription is reliable."""
        return self._reliability is QoSReliabilityPolicy.RELIABLE

    @property
    def publisher_count(self) -> int:
        """The number of matched publishers."""
        return publisher_count(self._node, self._subscription)

    @property
    def incompatible_publishers(self) -> list[str]:
        """Names of the nodes that publish best effort; [] if the subscription is not reliable."""
        if not self.is_reliable:
            return []
        return [
            node_name_of(info)
            for info in self._node.get_publishers_info_by_topic(self.topic)
            if info.qos_profile.reliability is not QoSReliabilityPolicy.RELIABLE
        ]

    @property
    def foreign_types(self) -> list[str]:
        """Types of the topic's publishers; [] if one of them is the subscription's type."""
        types = {info.topic_type for info in self._node.get_publishers_info_by_topic(self.topic)}
        return [] if self.type_name in types else sorted(types)

    @property
    def type_name(self) -> str:
        """Name of the message type, such as 'sensor_msgs/msg/Image'."""
        package, kind = self._message_type.__module__.split('.')[:2]
        return f'{package}/{kind}/{self._message_type.__name__}'

    def _subscribe(self) -> Any:
        return self._node.create_subscription(
            self._message_type,
            self.topic,
            # Except on Humble, rclpy passes message info to a callback with two arguments.
            self._receive if hasattr(Subscription, 'CallbackType') else self._receive_alone,
            QoSProfile(depth=self._depth, reliability=self._reliability),
            callback_group=self._group,
            qos_overriding_options=QoSOverridingOptions(
                (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH)
            ),
        )

    def _receive(self, message: Any, info: Any) -> None:
        self._callback(message, info['publication_sequence_number'])

    def _receive_alone(self, message: Any) -> None:
        self._callback(message, None)

    def _wanted_reliability(self) -> QoSReliabilityPolicy:
        if self._override is not None:
            return self._override
        offered = [
            info.qos_profile.reliability
            for info in self._node.get_publishers_info_by_topic(self.topic)
        ]
        if not offered:
            # A restarted camera usually offers the reliability that it offered before.
            return self._reliability
        if all(policy is QoSReliabilityPolicy.RELIABLE for policy in offered):
            return QoSReliabilityPolicy.RELIABLE
        return QoSReliabilityPolicy.BEST_EFFORT


def node_name_of(publisher: TopicEndpointInfo) -> str:
    """
    Return the full name of a publisher's node, for the log and ``~/status``.

    Returns 'a node whose name is not known' if the publisher has just been discovered, or belongs
    to a DDS program without ROS.  In these cases, rmw_dds_common returns placeholders.
    """
    if publisher.node_name in ('_NODE_NAME_UNKNOWN_', '_CREATED_BY_BARE_DDS_APP_'):
        return 'a node whose name is not known'
    return f'{publisher.node_namespace.rstrip("/")}/{publisher.node_name}'


def _reliability_override(node: Node, topic: str) -> QoSReliabilityPolicy | None:
    """Return the reliability that ``qos_overrides`` sets; None = follow the publishers."""
    name = f'qos_overrides.{topic}.subscription.reliability'
    try:
        value = node.declare_parameter(
            name,
            BEST_AVAILABLE,
            ParameterDescriptor(
                description=f'{BEST_AVAILABLE} (as the publishers offer), reliable or best_effort',
                read_only=True,
            ),
        ).value
    except ParameterAlreadyDeclaredException:
        value = node.get_parameter(name).value
    if value not in _RELIABILITIES:
        raise ValueError(f'{name} is {value!a}: set it to {", ".join(_RELIABILITIES)}')
    return _RELIABILITIES[value]
