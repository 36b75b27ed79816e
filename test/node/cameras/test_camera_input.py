# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole node with raw, compressed, several, broken and silent cameras."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain_interfaces.msg import Status
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from support.robot_messages import classified_as, jpeg_message
from support.running_node import image_message, pattern, Person, RunningNode
from support.waiting import wait_until

PICTURES = {label: pattern(seed) for seed, label in enumerate(('cat', 'dog', 'bird'), start=1)}
IMAGES = {label: image_message(picture) for label, picture in PICTURES.items()}
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
REMEDY = 'config/fastdds_large_images.xml'


def test_a_compressed_camera_is_classified(start_node: Any, person: Person) -> None:
    start_node({'camera.image_topic': '/front/image', 'camera.image_transport': 'compressed'})
    camera = person.wait_until_ready().camera('/front/image/compressed', CompressedImage)
    pictures = {label: jpeg_message(picture) for label, picture in PICTURES.items()}
    person.teach_and_train(camera, pictures)
    camera.show(pictures['bird'])
    person.classifications.wait_for(classified_as('bird'))


def test_a_compressed_topic_follows_its_remapping(start_node: Any) -> None:
    node: RunningNode = start_node(
        {'camera.image_transport': 'compressed'}, ['-r', 'image:=/rear/image_raw']
    )
    node.wait_for_log("camera 'camera' reads /rear/image_raw/compressed")


def test_two_cameras_are_classified_on_one_topic(start_node: Any, person: Person) -> None:
    start_node(
        {
            'cameras': '[left, right]',
            'left.image_topic': '/left',
            'right.image_topic': '/right',
            'right.image_transport': 'compressed',
        }
    )
    left = person.wait_until_ready().camera('/left')
    right = person.camera('/right/compressed', CompressedImage)
    person.teach_and_train(left, IMAGES)
    left.show(IMAGES['cat'])
    right.show(jpeg_message(PICTURES['dog']))
    person.classifications.wait_for(classified_as('cat'))
    person.classifications.wait_for(classified_as('dog'))
    refused = person.add('cat', camera='middle')
    assert "There is no camera 'middle': name one of left, right" in refused.message


def test_several_cameras_on_one_topic_are_a_warning(start_node: Any) -> None:
    node: RunningNode = start_node({'cameras': '[left, right]'})
    assert '[WARN]' in node.wait_for_log('several cameras read the same topic')
    node.wait_until_ready()


def test_samples_come_from_the_named_camera_only(start_node: Any, person: Person) -> None:
    start_node({'cameras': '[left, right]', 'left.image_topic': '/l', 'right.image_topic': '/r'})
    person.wait_until_ready().camera('/l').show(IMAGES['cat'])
    assert person.add('cat', camera='left').success
    refused = person.add('cat', camera='right', timeout_s=0.5)
    assert not refused.success
    assert 'no usable image came on /r:' in refused.message


def test_a_malformed_image_is_logged_and_the_next_one_classified(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    person.teach_and_train(camera, IMAGES)
    wrong_step, wrong_size = image_message(PICTURES['cat']), image_message(PICTURES['cat'])
    wrong_step.step -= 1
    wrong_size.data = b'too short'
    wrong_encoding = image_message(PICTURES['cat'], '32FC1')
    for message, words in (
        (wrong_step, 'step'),
        (wrong_size, 'data has 9 bytes'),
        (wrong_encoding, 'is depth (distances), not a picture'),
    ):
        camera.show(message)
        line = node.wait_for_log(words)
        assert "camera 'camera': unusable image (" in line
        assert words in person.add('cat', timeout_s=1.0).message
    camera.show(IMAGES['dog'])
    person.classifications.wait_for(classified_as('dog'), since=len(person.classifications))


def test_malformed_images_are_counted_and_logged_once(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    broken = image_message(PICTURES['cat'])
    broken.data = b''
    camera.show(broken)
    node.wait_for_log('unusable image (1 so far)')
    first = len(camera.stamps)
    # Three seconds of a camera.
    camera.stamps.wait_for(lambda _: len(camera.stamps) >= first + 75)
    assert sum('unusable image' in line for line in node.log) == 1


def test_a_publisher_without_images_is_reported_with_the_remedy(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node({'camera.image_topic': '/silent/image'})
    camera = person.wait_until_ready().camera('/silent/image')
    person.show(camera, IMAGES['cat'])
    camera.show(None)
    statuses = person.collect(Status, 'status', LATCHED)
    line = node.wait_for_log('no image has arrived for 4 s')
    assert "camera 'camera': a publisher is matched on /silent/image" in line
    assert REMEDY in line
    assert REMEDY in statuses.wait_for(lambda status: status.problems).problems[0]
    since = len(statuses)
    camera.show(IMAGES['cat'])
    statuses.wait_for(lambda status: not status.problems, since=since)


def reliability_of_subscriptions(person: Person) -> list[str]:
    endpoints = person.node.get_subscriptions_info_by_topic('/image')
    return [each.qos_profile.reliability.name for each in endpoints]


def test_the_qos_of_a_camera_can_be_overridden(start_node: Any, person: Person) -> None:
    start_node({'qos_overrides./image.subscription.reliability': 'reliable'})
    person.wait_until_ready()
    wait_until(lambda: reliability_of_subscriptions(person) == ['RELIABLE'])


def test_the_qos_of_a_camera_is_best_effort_by_default(start_node: Any, person: Person) -> None:
    start_node()
    person.wait_until_ready()
    wait_until(lambda: reliability_of_subscriptions(person) == ['BEST_EFFORT'])
