# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole node over DDS: cameras, classifications, restarts, and what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
import contextlib
from pathlib import Path
import sqlite3
from typing import Any

from action_msgs.msg import GoalStatus
import cv2
import edgetpu_retrain.demo.photographs
from edgetpu_retrain_interfaces.msg import Status
import numpy as np
import pytest
from rcl_interfaces.srv import DescribeParameters, ListParameters
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from support.running_node import (
    Camera,
    compressed_message,
    image_message,
    pattern,
    Person,
    RunningNode,
    wait_for,
)

PICTURES = {label: pattern(seed) for seed, label in enumerate(('cat', 'dog', 'bird'), start=1)}
IMAGES = {label: image_message(picture) for label, picture in PICTURES.items()}
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
CURE = 'config/fastdds_large_images.xml'


def jpeg_of(picture: Any) -> CompressedImage:
    return compressed_message(bytes(cv2.imencode('.jpg', picture[..., ::-1])[1].tobytes()))


def make_it_serve(person: Person, camera: Camera, pictures: Mapping[str, Any] = IMAGES) -> None:
    person.teach(camera, pictures)
    status, result = person.train(num_iter=300, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message


def is_best(label: str) -> Any:
    return lambda message: message.results[0].class_id == label


def test_every_picture_is_answered_with_its_label_and_header(
    start_node: Any, person: Person
) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    make_it_serve(person, camera)
    for label, message in IMAGES.items():
        camera.show(message)
        answer = person.classifications.wait_for(is_best(label), since=len(person.classifications))
        scores = [each.score for each in answer.results]
        assert sorted(scores, reverse=True) == scores
        assert sum(scores) == pytest.approx(1.0, abs=0.02)
        assert {each.class_id for each in answer.results} == set(IMAGES)
        assert answer.header.frame_id == 'camera_frame'
        stamp = answer.header.stamp.sec * 10**9 + answer.header.stamp.nanosec
        assert stamp in camera.stamps


def test_before_the_first_training_it_publishes_nothing_and_says_so_once(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    camera.show(IMAGES['cat'])
    # Captured frames prove that frames were handled; none of them was classified.
    assert person.add('cat', count=5).success
    assert len(person.classifications) == 0
    node.end()
    said = [line for line in node.log if 'nothing is published on ~/classification' in line]
    assert len(said) == 1


def test_a_robot_that_starts_again_goes_on_with_samples_and_model(
    start_node: Any, person: Person
) -> None:
    first: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    make_it_serve(person, camera)
    assert first.end() == 0
    before = len(person.classifications)
    second: RunningNode = start_node()
    second.wait_for_log('model version 1 serves')
    second.wait_for_log('18 samples in ')
    camera.show(IMAGES['dog'])
    person.classifications.wait_for(is_best('dog'), since=before)
    assert list(person.wait_until_ready().list_samples().counts) == [6, 6, 6]
    assert person.train(num_iter=5)[1].model_version == 2


def test_a_compressed_camera(start_node: Any, person: Person) -> None:
    start_node({'camera.image_topic': '/front/image', 'camera.image_transport': 'compressed'})
    camera = person.wait_until_ready().camera('/front/image/compressed', CompressedImage)
    pictures = {label: jpeg_of(picture) for label, picture in PICTURES.items()}
    make_it_serve(person, camera, pictures)
    camera.show(pictures['bird'])
    person.classifications.wait_for(is_best('bird'))


def test_a_compressed_topic_follows_its_remapping(start_node: Any) -> None:
    node: RunningNode = start_node(
        {'camera.image_transport': 'compressed'}, ['-r', 'image:=/rear/image_raw']
    )
    node.wait_for_log("camera 'camera' reads /rear/image_raw/compressed")


def test_two_cameras_answer_on_one_topic(start_node: Any, person: Person) -> None:
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
    make_it_serve(person, left)
    left.show(IMAGES['cat'])
    right.show(jpeg_of(PICTURES['dog']))
    person.classifications.wait_for(is_best('cat'))
    person.classifications.wait_for(is_best('dog'))
    refused = person.add('cat', camera='middle')
    assert "There is no camera 'middle': name one of left, right" in refused.message


def test_cameras_that_nobody_told_their_topics_are_a_warning(start_node: Any) -> None:
    node: RunningNode = start_node({'cameras': '[left, right]'})
    assert '[WARN]' in node.wait_for_log('several cameras read the same topic')
    node.wait_until_ready()


def test_only_frames_of_the_named_camera(start_node: Any, person: Person) -> None:
    start_node({'cameras': '[left, right]', 'left.image_topic': '/l', 'right.image_topic': '/r'})
    person.wait_until_ready().camera('/l').show(IMAGES['cat'])
    assert person.add('cat', camera='left', timeout_s=30.0).success
    refused = person.add('cat', camera='right', timeout_s=0.5)
    assert not refused.success
    assert 'no usable image came on /r:' in refused.message


def test_a_malformed_image_is_told_and_the_node_goes_on(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    make_it_serve(person, camera)
    wrong_step, wrong_size = image_message(PICTURES['cat']), image_message(PICTURES['cat'])
    wrong_step.step -= 1
    wrong_size.data = b'too short'
    wrong_encoding = image_message(PICTURES['cat'], '32FC1')
    for message, words in (
        (wrong_step, 'step'),
        (wrong_size, 'data has 9 bytes'),
        (wrong_encoding, 'sudo apt install ros-'),
    ):
        camera.show(message)
        line = node.wait_for_log(words, since=len(node.log))
        assert "camera 'camera': unusable image (" in line
    camera.show(IMAGES['dog'])
    person.classifications.wait_for(is_best('dog'), since=len(person.classifications))


def test_many_malformed_images_are_counted_and_told_once_a_second(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    broken = image_message(PICTURES['cat'])
    broken.data = b''
    camera.show(broken)
    node.wait_for_log('(1 so far)')
    second = node.wait_for_log('unusable image', since=len(node.log))
    counted = int(second.split('(')[1].split(' so far')[0])
    assert counted > 2, 'the reports between were held back'


def test_a_publisher_without_images_is_told_with_the_cure(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node({'camera.image_topic': '/silent/image'})
    camera = person.wait_until_ready().camera('/silent/image')
    camera.show(IMAGES['cat'])
    camera.stamps.next_one()
    camera.show(None)
    statuses = person.collect(Status, 'status', LATCHED)
    line = node.wait_for_log('no image has arrived for 5 s')
    assert "camera 'camera': a publisher is matched on /silent/image" in line
    assert CURE in line
    assert CURE in statuses.wait_for(lambda status: status.problems).problems[0]
    since = len(statuses)
    camera.show(IMAGES['cat'])
    statuses.wait_for(lambda status: not status.problems, since=since)


def test_the_quality_of_service_of_a_camera_can_be_overridden(
    start_node: Any, person: Person
) -> None:
    start_node({'qos_overrides./image.subscription.reliability': 'reliable'})
    person.wait_until_ready()
    endpoints = person.node.get_subscriptions_info_by_topic('/image')
    assert [each.qos_profile.reliability.name for each in endpoints] == ['RELIABLE']


def test_a_camera_is_best_effort_by_default(start_node: Any, person: Person) -> None:
    start_node()
    person.wait_until_ready()
    endpoints = person.node.get_subscriptions_info_by_topic('/image')
    assert [each.qos_profile.reliability.name for each in endpoints] == ['BEST_EFFORT']


def test_parameters_that_can_change_take_effect_at_once(start_node: Any, person: Person) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    make_it_serve(person, camera)
    assert person.set_parameter('max_results', 2).successful
    person.classifications.wait_for(lambda message: len(message.results) == 2)
    assert not person.set_parameter('max_results', -1).successful
    assert not person.set_parameter('num_threads', 2).successful
    assert person.set_parameter('num_iter', 7).successful
    goal = person.start_training(print_every=1)
    assert goal.wait()[0] == GoalStatus.STATUS_SUCCEEDED
    assert goal.feedback[-1].num_iter % 7 == 0


def test_every_parameter_is_described(start_node: Any, person: Person) -> None:
    start_node()
    person.wait_until_ready()
    listing = person.client(ListParameters, 'list_parameters')
    names = wait_for(listing.call_async(ListParameters.Request())).result.names
    own = [name for name in names if not name.startswith(('qos_overrides', 'use_sim', 'start_'))]
    describing = person.client(DescribeParameters, 'describe_parameters')
    described = wait_for(describing.call_async(DescribeParameters.Request(names=own))).descriptors
    assert set(own) == {
        *('autostart', 'cameras', 'camera.active', 'camera.image_topic', 'camera.roi'),
        *('camera.detections_topic', 'camera.detections_timeout_s', 'camera.max_detections'),
        *('camera.image_transport', 'camera.device', 'extractor', 'device', 'num_threads'),
        *('data_dir', 'fallback_extractor', 'invoke_timeout_s'),
        *('num_iter', 'learning_rate', 'batch_size', 'reg', 'rejection_rate', 'seed'),
        *(
            'sample_timeout_s',
            'min_novelty',
            'store_images',
            'keep_models',
            'follow_models',
            'unknown_below',
        ),
        *('smoothing_frames', 'smoothing_hysteresis', 'max_results'),
    }
    for descriptor in described:
        assert descriptor.description
        assert descriptor.additional_constraints
    numbers = [each for each in described if each.type in (2, 3)]
    assert all(each.integer_range or each.floating_point_range for each in numbers)


def test_the_time_limit_of_the_node_stands_in_for_0(start_node: Any, person: Person) -> None:
    start_node({'sample_timeout_s': 0.25})
    assert 'Time is up after 0.25 s' in person.wait_until_ready().add('cat').message


def test_a_store_that_breaks_is_told_and_frames_are_still_answered(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    make_it_serve(person, camera)
    file = tmp_path / 'data' / 'samples.db'
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as vandal:
        vandal.execute('DROP TABLE embeddings')
    answer = person.add('cat', count=3, timeout_s=60.0)
    assert not answer.success
    assert answer.added == 0
    assert 'samples.db' in answer.message
    assert not person.list_samples().success
    status, result = person.train()
    assert status == GoalStatus.STATUS_ABORTED
    assert 'samples.db' in result.message
    assert person.classifications.next_one().results


def test_the_default_extractor_tells_real_photographs_apart(
    start_node: Any, person: Person
) -> None:
    folder = Path(edgetpu_retrain.demo.photographs.__path__[0])
    node: RunningNode = start_node({'extractor': "''"})
    node.wait_for_log('efficientnet_lite0')
    photographs = {}
    for path in sorted(folder.glob('*.jpg'))[:3]:
        picture = cv2.imread(str(path))
        photographs[path.stem] = cv2.resize(picture, (320, 240))[..., ::-1]
    camera = person.wait_until_ready().camera()
    make_it_serve(
        person, camera, {label: image_message(picture) for label, picture in photographs.items()}
    )
    for label, picture in photographs.items():
        # A view it has not seen: the middle of the picture, mirrored.
        camera.show(image_message(np.ascontiguousarray(picture[15:-15, -20:20:-1])))
        person.classifications.wait_for(is_best(label), since=len(person.classifications))
