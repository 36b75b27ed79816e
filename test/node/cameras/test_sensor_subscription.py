# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The reliability that a subscription requests, against real publishers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import time
from typing import Any

from edgetpu_retrain.node.cameras.sensor_subscription import node_name_of, SensorSubscription
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from std_msgs.msg import Int32
from support.lone_node import LoneNode
from support.waiting import PATIENCE_S

BEST_EFFORT, RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
TOPIC = '/numbers'
OVERRIDE = f'qos_overrides.{TOPIC}.subscription.reliability'


class Listener(LoneNode):
    """A node with a subscription, and publishers that come and go."""

    def __init__(self, reliability: str | None = None) -> None:
        overrides = [] if reliability is None else [Parameter(OVERRIDE, value=reliability)]
        super().__init__('listener', enable_rosout=False, parameter_overrides=overrides)
        self.received: list[int] = []
        self.numbers: list[int | None] = []
        self.publishers: list[Any] = []

    def subscribe(self) -> SensorSubscription:
        group = self.node.default_callback_group
        return SensorSubscription(self.node, Int32, TOPIC, self._receive, group, 5)

    def publish(self, *reliability: ReliabilityPolicy) -> None:
        """Replace the publishers of the topic."""
        for publisher in self.publishers:
            self.node.destroy_publisher(publisher)
        self.publishers = [
            self.node.create_publisher(Int32, TOPIC, QoSProfile(depth=5, reliability=each))
            for each in reliability
        ]
        self.wait_until(lambda: self.node.count_publishers(TOPIC) == len(reliability))

    def wait_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end
            self.executor.spin_once(0.05)

    def _receive(self, message: Any, number: int | None) -> None:
        self.received.append(message.data)
        self.numbers.append(number)


@pytest.fixture
def listener() -> Iterator[Listener]:
    created = Listener()
    yield created
    created.close()


@pytest.mark.parametrize(
    ('offered', 'is_reliable'),
    [
        ([], False),
        ([RELIABLE], True),
        ([RELIABLE, RELIABLE], True),
        ([BEST_EFFORT], False),
        ([RELIABLE, BEST_EFFORT], False),
    ],
)
def test_it_is_reliable_where_all_publishers_are(
    listener: Listener, offered: list[ReliabilityPolicy], is_reliable: bool
) -> None:
    listener.publish(*offered)
    subscription = listener.subscribe()
    assert subscription.is_reliable is is_reliable
    assert not subscription.is_outdated
    assert subscription.incompatible_publishers == []
    listener.wait_until(lambda: subscription.publisher_count == len(offered))


def test_it_follows_publishers_that_come_later(listener: Listener) -> None:
    subscription = listener.subscribe()
    for offered in (RELIABLE, BEST_EFFORT, RELIABLE):
        listener.publish(offered)
        listener.wait_until(lambda: subscription.is_outdated)
        subscription.renew()
        assert not subscription.is_outdated
        assert subscription.is_reliable is (offered is RELIABLE)
        listener.wait_until(lambda: subscription.publisher_count == 1)
        del listener.received[:]
        listener.publishers[0].publish(Int32(data=7))
        listener.wait_until(lambda: listener.received == [7])


def test_it_passes_the_numbers_of_the_publisher(listener: Listener) -> None:
    listener.publish(RELIABLE)
    subscription = listener.subscribe()
    listener.wait_until(lambda: subscription.publisher_count == 1)
    for number in (5, 6, 7):
        listener.publishers[0].publish(Int32(data=number))
    listener.wait_until(lambda: listener.received == [5, 6, 7])
    # Fast DDS, which both legs of the tests use, counts from 1.
    assert listener.numbers == [1, 2, 3]


def test_it_stays_as_it_is_while_there_is_no_publisher(listener: Listener) -> None:
    listener.publish(RELIABLE)
    subscription = listener.subscribe()
    listener.publish()
    assert not subscription.is_outdated
    assert subscription.is_reliable


@pytest.mark.parametrize(
    ('override', 'offered', 'is_reliable', 'incompatible'),
    [
        ('reliable', BEST_EFFORT, True, ['/listener']),
        ('best_effort', RELIABLE, False, []),
        ('best_available', RELIABLE, True, []),
    ],
)
def test_an_override_wins(
    override: str, offered: ReliabilityPolicy, is_reliable: bool, incompatible: list[str]
) -> None:
    listener = Listener(override)
    try:
        listener.publish(offered)
        subscription = listener.subscribe()
        assert subscription.is_reliable is is_reliable
        assert not subscription.is_outdated
        assert subscription.incompatible_publishers == incompatible
        # Parameters are declared once, also where a camera is opened again.
        subscription.close()
        assert listener.subscribe().is_reliable is is_reliable
    finally:
        listener.close()


@pytest.mark.parametrize(
    ('namespace', 'name', 'expected'),
    [
        ('/', 'usb_cam', '/usb_cam'),
        ('/robot', 'usb_cam', '/robot/usb_cam'),
        (
            '_NODE_NAMESPACE_UNKNOWN_',
            '_NODE_NAME_UNKNOWN_',
            'a node whose name is not known',
        ),
    ],
)
def test_a_publisher_is_named_for_a_person(namespace: str, name: str, expected: str) -> None:
    info = TopicEndpointInfo(node_name=name, node_namespace=namespace)
    assert node_name_of(info) == expected


def test_an_unknown_override_is_refused() -> None:
    listener = Listener('sometimes')
    try:
        with pytest.raises(Exception, match='sometimes'):
            listener.subscribe()
    finally:
        listener.close()
