# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Images of publishers like usb_cam's and like sensor data, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import signal
import sys
import threading
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain_interfaces.msg import Status
import pytest
from rclpy.qos import qos_profile_sensor_data, QoSDurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from support.running_node import Person, RunningNode
from support.running_program import RunningProgram

# Images of 640 pixels are larger than what Fast DDS's shared memory holds (512 KiB), and are lost
# without reliability: half of them or all, depending on the machine.  Those of 320 are not.
CAMERA = """
import sys, time
from array import array
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

reliability, rates = sys.argv[1], sys.argv[4:]
width, subscriptions = map(int, sys.argv[2:4])
height = width * 3 // 4
rclpy.init(args=[])
node = rclpy.create_node('usb_cam')
qos = QoSProfile(depth=100, reliability=ReliabilityPolicy[reliability])
publisher = node.create_publisher(Image, '/image', qos)
message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
message.data = array('B', bytes(3 * width * height))
while publisher.get_subscription_count() < subscriptions:
    time.sleep(0.1)
published = 0
for rate in rates:
    end = time.monotonic() + 5.0 if rate is not rates[-1] else float('inf')
    while time.monotonic() < end:
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
        published += 1
        print('published', published, flush=True)
        time.sleep(1.0 / float(rate))
"""

StartCamera = Callable[..., RunningProgram]
# What a busy machine takes late must not be overwritten in the queue.
DEEP = {'qos_overrides./image.subscription.depth': 100}


@pytest.fixture
def start_camera(package_path: str) -> Iterator[StartCamera]:
    """
    Start a camera, which waits for a number of subscriptions.

    Each of its rates lasts 5 s, the last one for ever.
    """
    running: list[RunningProgram] = []

    def start(
        reliability: str, width: int, *rates: float, subscriptions: int = 0
    ) -> RunningProgram:
        given = [reliability, width, subscriptions, *rates]
        command = [sys.executable, '-c', CAMERA, *map(str, given)]
        running.append(RunningProgram(command, {'PYTHONPATH': package_path}).__enter__())
        return running[-1]

    yield start
    for each in running:
        each.end()


def statuses(person: Person) -> Any:
    latched = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    return person.collect(Status, 'status', latched)


def camera_values(array: Any) -> dict[str, str]:
    return {each.key: each.value for each in array.status[1].values}


def test_images_of_a_reliable_camera_all_arrive(
    start_node: Any, person: Person, start_camera: StartCamera
) -> None:
    node: RunningNode = start_node(DEEP)
    person.wait_until_ready()
    start_camera('RELIABLE', 640, 10)
    # The camera came after the node, which subscribes again.
    node.wait_for_log("camera 'camera' reads /image reliably")
    response = person.add('mug', count=40)
    assert response.success, response.message
    # Best effort loses half of them.
    values = camera_values(person.collect(DiagnosticArray, '/diagnostics').next_one())
    assert int(values['frames received']) >= 40
    assert float(values['lost on the way (%)']) == 0.0
    assert statuses(person).wait_for(lambda _: True).problems == []


def test_a_camera_that_is_restarted_with_another_reliability_is_read(
    start_node: Any, person: Person, start_camera: StartCamera
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    first = start_camera('RELIABLE', 320, 10)
    node.wait_for_log("camera 'camera' reads /image reliably")
    first.process.terminate()
    first.wait()
    start_camera('BEST_EFFORT', 320, 10)
    node.wait_for_log("camera 'camera' reads /image best effort")
    assert person.add('mug', timeout_s=60.0).success


@contextmanager
def often_stopped(node: RunningNode) -> Iterator[None]:
    """Stop the node for most of the time, so that images overwrite each other in its queue."""
    ended = threading.Event()

    def stop_often() -> None:
        while not ended.is_set():
            node.process.send_signal(signal.SIGSTOP)
            time.sleep(1.2)
            node.process.send_signal(signal.SIGCONT)
            time.sleep(0.4)

    thread = threading.Thread(target=stop_often)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_lost_images_are_reported_everywhere(
    start_node: Any, person: Person, start_camera: StartCamera
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    seen = statuses(person)
    # Slow enough that a busy machine loses none of itself.
    start_camera('RELIABLE', 320, 10)
    node.wait_for_log("camera 'camera' reads /image reliably")
    with often_stopped(node):
        status = seen.wait_for(lambda each: 'are lost on the way' in ' '.join(each.problems))
        assert 'lower the resolution or the frame rate' in status.problems[0]
        node.wait_for_log('are lost on the way to this node')
        diagnostics = person.collect(DiagnosticArray, '/diagnostics')
        assert float(camera_values(diagnostics.next_one())['lost on the way (%)']) > 2.0
        response = person.add('mug', count=1000, timeout_s=3.0)
        assert not response.success
        assert 'are lost on the way to this node' in response.message
    seen.wait_for(lambda each: not each.problems, since=len(seen) - 1)


def test_what_a_bare_subscription_loses_is_reported(
    start_node: Any, person: Person, start_camera: StartCamera
) -> None:
    start_node()
    person.wait_until_ready()
    seen = statuses(person)
    # As the node reads a best-effort camera, but in a process that does nothing else.
    bare = person.collect(Image, '/image', qos_profile_sensor_data)
    camera = start_camera('BEST_EFFORT', 1280, 10, subscriptions=2)
    camera.wait_for_log('published 50')
    assert len(bare) < 0.98 * 50
    # Of a camera of which nothing arrives, the node says so in other words.
    status = seen.wait_for(lambda each: 'on /image' in ' '.join(each.problems))
    assert 'best-effort images above 512 KiB get lost' in status.problems[0]


def test_a_camera_that_only_slows_down_is_not_lossy(
    start_node: Any, person: Person, start_camera: StartCamera
) -> None:
    node: RunningNode = start_node(DEEP)
    person.wait_until_ready()
    seen = statuses(person)
    camera = start_camera('RELIABLE', 320, 20, 5)
    node.wait_for_log("camera 'camera' reads /image reliably")
    # Nearly 100 of them before it slows down.
    camera.wait_for_log('published 130')
    assert not any(each.problems for each in seen)


def test_an_override_that_no_publisher_fits_is_a_problem(
    start_node: Any, person: Person, start_camera: StartCamera
) -> None:
    start_node({'qos_overrides./image.subscription.reliability': 'reliable'})
    person.wait_until_ready()
    seen = statuses(person)
    start_camera('BEST_EFFORT', 320, 10)
    # A publisher is discovered before the name of its node is.
    status = seen.wait_for(lambda each: '/usb_cam publishes best' in ' '.join(each.problems))
    assert 'qos_overrides ask for reliable messages on /image' in status.problems[0]
    response = person.add('mug', timeout_s=2.0)
    assert 'qos_overrides ask for reliable' in response.message


def test_a_region_outside_of_the_image_is_named_in_the_response(
    start_node: Any, person: Person, start_camera: StartCamera
) -> None:
    start_node({'camera.roi': '[600, 0, 100, 100]'})
    person.wait_until_ready()
    start_camera('RELIABLE', 640, 10)
    person.collect(DiagnosticArray, '/diagnostics').wait_for(
        lambda each: camera_values(each)['frames received'] != '0'
    )
    response = person.add('mug', timeout_s=5.0)
    assert not response.success
    assert '100x100+600+0 reaches beyond the image of 640x480 pixels' in response.message
