# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An Edge TPU that fails under the whole node, over DDS, with a stand-in for Coral's library."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from edgetpu_retrain_interfaces.msg import Embedding, Result, Status
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.robot_messages import first_since
from support.running_node import (
    box_message,
    Camera,
    image_message,
    pattern,
    Person,
)
from vision_msgs.msg import Classification, Detection2DArray

pytestmark = pytest.mark.usefixtures('measured_processes')

IMAGES = {label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)}
LATCHED = QoSProfile(depth=20, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def make_it_serve(person: Person) -> Camera:
    camera = person.wait_until_ready().camera()
    person.teach(camera, IMAGES)
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    return camera


@pytest.mark.parametrize(
    ('behaviour', 'words'), [('raise', 'The Edge TPU failed'), ('hang', 'The Edge TPU hangs')]
)
def test_the_fallback_serves_until_the_device_is_back(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person, behaviour: str, words: str
) -> None:
    node = start_edgetpu()
    node.wait_for_log('runs on edgetpu by')
    make_it_serve(person)
    results = person.collect(Result, 'result')
    statuses = person.collect(Status, 'status', LATCHED)
    arrays = person.collect(DiagnosticArray, '/diagnostics')
    results.next_one()
    tell(behaviour)
    assert '[WARN]' in node.wait_for_log(words)
    failed = statuses.wait_for(lambda each: words in ' '.join(each.problems))
    told = next(each for each in failed.problems if words in each)
    assert 'meanwhile fallback_extractor serves on the CPU' in told
    assert failed.device == 'cpu'
    assert results.next_one().model_version == 1
    response = person.add('cat')
    assert response.success, response.message
    assert response.label_total == 7, 'the samples stay valid'
    arrays.wait_for(
        lambda each: (
            each.status[0].level == DiagnosticStatus.WARN and words in each.status[0].message
        )
    )
    tell('')
    node.wait_for_log('The Edge TPU serves again')
    statuses.wait_for(
        lambda each: 'The Edge TPU' not in ' '.join(each.problems) and each.device == 'edgetpu',
        since=len(statuses) - 1,
    )
    assert results.next_one().model_version == 1


def test_the_fallback_serves_after_an_inference_hangs(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person
) -> None:
    node = start_edgetpu(**{'camera.detections_topic': '/boxes'})
    camera = make_it_serve(person)
    picture = pattern(1)
    picture[:, 32:] = 255
    detector = person.detector('/image')
    detector.boxes = [box_message('pattern', 16, 24, 32, 48), box_message('white', 48, 24, 32, 48)]
    camera.show(image_message(picture))
    detections = person.collect(Detection2DArray, 'camera/detections')
    results = person.collect(Result, 'result')
    both = ['pattern', 'white']
    detections.wait_for(lambda each: [box.id for box in each.detections] == both)
    # No whole image is all white, so it is the crop that does not return.
    tell('hang:white')
    assert '[WARN]' in node.wait_for_log('The Edge TPU hangs')
    tell('')
    detections.wait_for(
        lambda each: [box.id for box in each.detections] == both, since=len(detections)
    )
    assert results.next_one().model_version == 1
    node.wait_for_log('The Edge TPU serves again')
    detections.wait_for(
        lambda each: [box.id for box in each.detections] == both, since=len(detections)
    )


def test_without_a_fallback_lost_frames_are_logged(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person
) -> None:
    node = start_edgetpu(fallback=False)
    make_it_serve(person)
    tell('raise')
    node.wait_for_log("camera 'camera': frame lost")
    assert not person.add('cat', timeout_s=0.2).success
    assert person.list_samples().total == 12, 'requests without device are served'
    tell('')
    node.wait_for_log('The Edge TPU serves again')
    person.collect(Result, 'result').next_one()


def test_a_crash_of_the_library_loses_nothing_acknowledged(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person
) -> None:
    node = start_edgetpu()
    make_it_serve(person)
    tell('abort')
    assert node.wait() < 0
    again = start_edgetpu()
    again.wait_for_log('model version 1 serves')
    assert 'fallback_extractor serves on the CPU' in again.wait_for_log('was ended by SIGABRT')
    # A new participant, because DDS keeps the crashed node in the graph for a while.
    with Person() as other:
        assert list(other.wait_until_ready().list_samples().counts) == [6, 6]
        other.collect(Result, 'result').next_one()


TWO_DEVICES = {
    'cameras': '[front, arm]',
    'front.image_topic': '/front',
    'front.device': 'usb:0',
    'arm.image_topic': '/arm',
    'arm.device': 'usb:1',
}


def show_both(person: Person) -> None:
    for topic in ('/front', '/arm'):
        person.camera(topic).show(IMAGES['cat'])


def of_devices(status: Any) -> list[str]:
    """Return the problems of devices; a busy machine loses images, which is another problem."""
    return [each for each in status.problems if each.startswith('Device ')]


def levels(array: Any) -> dict[str, bytes]:
    """Return the level of each status in the diagnostics of two devices."""
    return {each.name.rpartition(': ')[2]: each.level for each in array.status}


def make_both_serve(person: Person) -> None:
    camera = person.wait_until_ready().camera('/front')
    person.teach(camera, IMAGES)
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    person.close_cameras()
    show_both(person)


def test_two_devices_serve_two_cameras_and_fail_alone(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person
) -> None:
    node = start_edgetpu(fallback=False, **TWO_DEVICES)
    for device in ('usb:0', 'usb:1'):
        node.wait_for_log(f'runs on {device} by')
    make_both_serve(person)
    of_camera = {
        name: person.collect(Classification, f'{name}/classification') for name in ('front', 'arm')
    }
    statuses = person.collect(Status, 'status', LATCHED)
    arrays = person.collect(DiagnosticArray, '/diagnostics')
    for classifications in of_camera.values():
        classifications.next_one()
    both = statuses.wait_for(lambda each: list(each.cameras) == ['front', 'arm'])
    assert list(both.camera_devices) == ['usb:0', 'usb:1']
    assert both.device == 'usb:0, usb:1'

    tell('usb:1=hang')
    node.wait_for_log("camera 'arm': frame lost")
    of_camera['front'].next_one()
    one = statuses.wait_for(lambda each: bool(of_devices(each)))
    (problem,) = of_devices(one)
    assert problem.startswith('Device usb:1 (of arm): The Edge TPU hangs')
    assert list(one.camera_devices) == ['usb:0', '']
    found = arrays.wait_for(lambda each: levels(each)['device usb:1'] == DiagnosticStatus.WARN)
    assert levels(found)['device usb:0'] == DiagnosticStatus.OK
    assert levels(found)['node'] == DiagnosticStatus.WARN
    response = person.add('cat', camera='front', timeout_s=60.0)
    assert response.success, response.message
    assert not person.add('cat', camera='arm', timeout_s=0.2).success
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    results = person.collect(Result, 'result')
    results.wait_for(lambda each: each.camera == 'front' and each.model_version == 2)
    assert {each.camera for each in results} == {'front'}

    tell('')
    node.wait_for_log('Device usb:1 (of arm): The Edge TPU serves again (usb:1)')
    results.wait_for(lambda each: each.camera == 'arm')
    assert {each.model_version for each in results if each.camera == 'arm'} == {2}


def test_a_swap_is_complete_when_every_device_serves_the_new_model(
    start_edgetpu: Any, person: Person
) -> None:
    start_edgetpu(**TWO_DEVICES)
    make_both_serve(person)
    results = person.collect(Result, 'result')
    response = person.add('bird', camera='front', count=6, timeout_s=60.0)
    assert response.success, response.message
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    swaps = 4
    for version in (1, 2) * swaps:
        assert person.load_model(version).success
        since = time.time_ns()
        for camera in ('front', 'arm'):
            assert first_since(results, since, camera).model_version == version
    classes = {(each.model_version, len(each.classification.results)) for each in results}
    assert classes == {(1, 2), (2, 3)}, 'version and class belong together'


def test_a_device_missing_at_startup_is_retried(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person
) -> None:
    tell('usb:0=absent')
    node = start_edgetpu(fallback=False, **TWO_DEVICES)
    person.wait_until_ready()
    embeddings = person.collect(Embedding, 'embedding')
    show_both(person)
    assert embeddings.next_one().camera == 'arm'
    node.wait_for_log("camera 'front': frame lost")
    tell('')
    embeddings.wait_for(lambda each: each.camera == 'front')
