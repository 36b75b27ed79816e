# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What Humble's rclpy lacks: each substitute beside the method that it stands in for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgetpu_retrain.node.older_rclpy import after_parameters_are_set, publisher_count
from edgetpu_retrain_interfaces.msg import Embedding
import pytest
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.subscription import Subscription
from std_msgs.msg import Int32
from support.lone_node import LoneNode
from support.running_node import image_message, pattern, Person, RunningNode
from support.waiting import wait_until

HUMBLE = (str(Path(__file__).with_name('node_of_humble.py')),)


@pytest.fixture(params=['present', 'humble'], autouse=True)
def rclpy_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == 'humble':
        monkeypatch.delattr(Node, 'add_post_set_parameters_callback', raising=False)
        monkeypatch.delattr(Subscription, 'get_publisher_count', raising=False)
    return str(request.param)


@pytest.fixture
def lone() -> Iterator[LoneNode]:
    lone = LoneNode('lone', enable_rosout=False)
    yield lone
    lone.close()


def test_what_is_called_reads_the_new_values(lone: LoneNode) -> None:
    lone.node.declare_parameter('number', 1)
    read: list[Any] = []
    after_parameters_are_set(
        lone.node, lambda _changed: read.append(lone.node.get_parameter('number').value)
    )
    for number in (2, 3):
        set_number(lone, number)
    assert read == [2, 3]


def test_a_refused_change_is_not_seen(lone: LoneNode) -> None:
    lone.node.declare_parameter('number', 1)
    seen: list[Any] = []
    lone.node.add_on_set_parameters_callback(
        lambda changes: SetParametersResult(successful=changes[0].value != 2, reason='no')
    )
    after_parameters_are_set(
        lone.node, lambda changed: seen.extend(each.value for each in changed)
    )
    for number in (2, 3):
        set_number(lone, number)
    assert seen == [3]


def set_number(lone: LoneNode, number: int) -> None:
    """Set a parameter in a callback, as a service does, and let the executor do what follows."""
    lone.run(lone.node.set_parameters, [Parameter('number', value=number)])
    for _ in range(10):
        lone.executor.spin_once(timeout_sec=0.0)


def test_counts_publishers_by_the_remapped_name(lone: LoneNode) -> None:
    subscription = lone.node.create_subscription(Int32, '~/numbers', lambda _: None, 10)
    assert publisher_count(lone.node, subscription) == 0
    publisher = lone.node.create_publisher(Int32, '~/numbers', 10)
    lone.node.create_publisher(Int32, '~/others', 10)
    wait_for_count(lone, subscription, 1)
    lone.node.destroy_publisher(publisher)
    wait_for_count(lone, subscription, 0)


def wait_for_count(lone: LoneNode, subscription: Any, count: int) -> None:
    wait_until(lambda: publisher_count(lone.node, subscription) == count)


def test_a_node_on_it_obeys_its_parameters(start_node: Any, person: Person, rclpy_of: str) -> None:
    node: RunningNode = start_node(program=HUMBLE) if rclpy_of == 'humble' else start_node()
    camera = person.wait_until_ready().camera()
    node.wait_for_log("camera 'camera' reads")
    embeddings = person.collect(Embedding, 'embedding')
    camera.show(image_message(pattern(1)))
    whole = bytes(embeddings.next_one().data)
    assert person.set_parameter('camera.roi', [0, 0, 8, 8]).successful
    embeddings.wait_for(lambda message: bytes(message.data) != whole, since=len(embeddings))
    assert person.set_parameter('camera.active', False).successful
    node.wait_for_log("camera 'camera' is not active any more")
    assert person.set_parameter('camera.active', True).successful
    assert not person.set_parameter('camera.roi', [1]).successful
    embeddings.next_one()
    assert not person.set_parameter('store_images', 'huge').successful
    assert person.set_parameter('store_images', 'none').successful
    node.wait_for_log("parameter store_images set to 'none'")
    assert not any("store_images set to 'huge'" in line for line in node.log)


def test_a_node_on_it_misses_the_images_of_a_silent_camera(
    start_node: Any, person: Person, rclpy_of: str
) -> None:
    node: RunningNode = start_node(program=HUMBLE) if rclpy_of == 'humble' else start_node()
    person.wait_until_ready().camera()
    node.wait_for_log("camera 'camera': a publisher is matched on /image")
