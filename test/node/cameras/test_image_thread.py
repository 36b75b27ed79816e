# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The thread of the images, beside a node's own executor, on a real node."""

from __future__ import annotations

from collections.abc import Iterator
import threading
from typing import Any

from edgetpu_retrain.node.cameras.image_thread import ImageThread
from edgetpu_retrain.node.requests import callback_errors
import pytest
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Int32
from support.lone_node import LoneNode
from support.waiting import Collected, PATIENCE_S, wait_until


class Listening(LoneNode):
    """A node whose subscription is called back by the thread of the images."""

    def __init__(self) -> None:
        super().__init__('listening', enable_rosout=False)
        self.images = ImageThread(self.node)
        self.received: Collected[int] = Collected()
        self.threads: set[str] = set()
        self.fails = False
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        self.subscription = self.node.create_subscription(
            Int32, 'numbers', self._receive, qos, callback_group=self.images.group
        )
        self.publisher = self.publisher_of('numbers', qos)

    def publisher_of(self, topic: str, qos: QoSProfile) -> Any:
        """Return one that has found its subscription."""
        publisher = self.node.create_publisher(Int32, topic, qos)
        wait_until(lambda: publisher.get_subscription_count() > 0)
        return publisher

    def say(self, number: int) -> None:
        self.publisher.publish(Int32(data=number))

    def close(self) -> None:
        self.images.close()
        super().close()

    def _receive(self, message: Any) -> None:
        self.threads.add(threading.current_thread().name)
        if self.fails:
            self.fails = False
            raise KeyError('a bug')
        self.received.append(message.data)


@pytest.fixture
def listening() -> Iterator[Listening]:
    listening = Listening()
    yield listening
    listening.close()


def test_a_slow_callback_of_the_node_delays_no_image(listening: Listening) -> None:
    began, may_end = threading.Event(), threading.Event()

    def hold_up() -> None:
        began.set()
        may_end.wait(PATIENCE_S)

    listening.spin_in_a_thread()
    listening.images.start()
    listening.executor.create_task(hold_up)
    assert began.wait(PATIENCE_S)
    try:
        listening.say(1)
        assert listening.received.wait_for(lambda _: True) == 1
    finally:
        may_end.set()


def test_the_executor_of_the_node_does_not_take_its_messages(listening: Listening) -> None:
    listening.say(1)
    for _ in range(5):
        listening.executor.spin_once(timeout_sec=0.1)
    assert listening.received == []
    listening.spin_in_a_thread()
    listening.images.start()
    for number in range(2, 50):
        listening.say(number)
        listening.received.wait_for(number.__eq__)
    assert listening.received == list(range(1, 50))
    assert listening.threads == {'images'}


def test_while_paused_messages_wait(listening: Listening) -> None:
    listening.images.start()
    with listening.images.paused():
        listening.say(1)
        later = listening.node.create_subscription(
            Int32, 'others', listening._receive, 10, callback_group=listening.images.group
        )
        assert listening.received == []
        assert 'images' not in {thread.name for thread in threading.enumerate()}
    assert listening.received.wait_for(lambda each: each == 1)
    # What was made meanwhile is called back too.
    listening.publisher_of('others', QoSProfile(depth=10)).publish(Int32(data=2))
    assert listening.received.wait_for(lambda each: each == 2)
    with listening.images.paused():
        listening.node.destroy_subscription(later)
    listening.say(3)
    assert listening.received.wait_for(lambda each: each == 3)


def test_an_error_is_logged_and_the_next_message_received(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(callback_errors, '_AFTER_AN_ERROR_S', 0.0)
    listening.fails = True
    listening.images.start()
    listening.say(1)
    listening.say(2)
    assert listening.received.wait_for(lambda _: True) == 2
    assert "KeyError: 'a bug'" in capfd.readouterr().err


def test_a_publisher_with_incompatible_qos_is_logged(
    listening: Listening, capfd: pytest.CaptureFixture[str]
) -> None:
    listening.images.start()
    unreliable = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    listening.node.create_publisher(Int32, 'numbers', unreliable)
    log: list[str] = []

    def is_logged() -> bool:
        log.append(capfd.readouterr().err)
        return 'incompatible QoS' in ''.join(log)

    wait_until(is_logged)
    assert 'numbers' in ''.join(log)


def test_it_ends_with_ros(listening: Listening) -> None:
    listening.images.start()
    (thread,) = [each for each in threading.enumerate() if each.name == 'images']
    rclpy.shutdown(context=listening.context)
    thread.join(PATIENCE_S)
    listening.images.stop()
    assert 'images' not in {thread.name for thread in threading.enumerate()}
    # As the node may do when a signal comes while it is activated.
    listening.images.start()
    listening.images.stop()
