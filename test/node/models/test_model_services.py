# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""~/load_model, ~/result and the latched topics over DDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain_interfaces.msg import Result, Status
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import Camera, image_message, pattern, Person, RunningNode
from vision_msgs.msg import Classification, LabelInfo, VisionInfo

pytestmark = pytest.mark.usefixtures('measured_processes')

IMAGES = {
    label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog', 'bird'), 1)
}
LATCHED = QoSProfile(depth=20, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def train(person: Person) -> Any:
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    return result


@pytest.fixture
def camera(start_node: Any, person: Person) -> Camera:
    """Return the camera of a robot with two versions: cat and dog; with bird as well."""
    start_node()
    camera = person.wait_until_ready().camera()
    person.teach(camera, {label: IMAGES[label] for label in ('cat', 'dog')})
    train(person)
    person.teach(camera, {'bird': IMAGES['bird']})
    train(person)
    # Which both versions know.
    person.show(camera, IMAGES['cat'])
    return camera


def of_version(version: int) -> Any:
    return lambda result: result.model_version == version


@pytest.mark.usefixtures('camera')
def test_back_and_forward_between_two_frames(person: Person) -> None:
    results = person.collect(Result, 'result')
    results.wait_for(of_version(2))
    back = person.load_model(-1)
    assert back.success, back.message
    assert (back.model_version, list(back.labels)) == (1, ['cat', 'dog'])
    assert back.model_path.endswith('model_000001.tflite')
    assert back.message == f'Model version 1 serves ({back.model_path}).'
    result = results.wait_for(of_version(1))
    # The version and the answer are in one message, so they cannot disagree.
    for each in results:
        labels = {hypothesis.class_id for hypothesis in each.classification.results}
        assert labels == ({'cat', 'dog'} if each.model_version == 1 else set(IMAGES))
    assert result.camera == 'camera'
    assert result.header.frame_id == 'camera_frame'
    assert not result.unknown
    assert result.unknown_score <= result.unknown_threshold
    assert result.smoothed == result.classification
    assert person.load_model(0).model_version == 2
    assert person.load_model(1).model_version == 1
    assert person.load_model(2).model_version == 2
    for version, words in (
        (7, 'There is no model version 7'),
        (-2, 'version is -2: give the number of a version'),
    ):
        refused = person.load_model(version)
        assert not refused.success
        assert words in refused.message
        assert (refused.model_version, list(refused.labels)) == (2, list(IMAGES))
    person.load_model(1)
    assert 'There is no model version before the one that serves' in person.load_model(-1).message


def test_before_the_first_training_there_is_nothing_to_load(
    start_node: Any, person: Person
) -> None:
    start_node()
    person.wait_until_ready()
    for version in (0, -1):
        refused = person.load_model(version)
        assert not refused.success
        assert refused.message == 'There is no model version: train first.'


def test_a_rollback_outlives_a_restart_and_a_training_goes_past_it(
    start_node: Any, person: Person
) -> None:
    first: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    person.teach(camera, IMAGES)
    train(person)
    train(person)
    assert person.load_model(-1).model_version == 1
    assert first.end() == 0
    second: RunningNode = start_node()
    second.wait_for_log('model version 1 serves')
    person.wait_until_ready()
    assert train(person).model_version == 3
    assert person.load_model(-1).model_version == 2
    assert person.load_model(0).model_version == 3


@pytest.mark.usefixtures('camera')
def test_swaps_are_latched_and_counted(person: Person) -> None:
    visions = person.collect(VisionInfo, 'vision_info', LATCHED)
    labels = person.collect(LabelInfo, 'label_info', LATCHED)
    vision = visions.wait_for(lambda _: True)
    assert vision.database_version == 2
    assert vision.database_location.endswith('model_000002.tflite')
    assert vision.method == 'edgetpu_retrain'
    label = labels.wait_for(lambda _: True)
    assert [(each.class_id, each.class_name) for each in label.class_map] == [
        (0, 'cat'),
        (1, 'dog'),
        (2, 'bird'),
    ]
    person.load_model(1)
    assert visions.wait_for(lambda each: each.database_version == 3).database_location.endswith(
        'model_000001.tflite'
    )
    labels.wait_for(lambda each: len(each.class_map) == 2)
    person.load_model(1)
    person.load_model(2)
    visions.wait_for(lambda each: each.database_version == 4)
    assert [each.database_version for each in visions] == sorted(
        each.database_version for each in visions
    )


def test_a_damaged_newest_model_is_reported_and_the_previous_one_serves(
    start_node: Any, person: Person
) -> None:
    first: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    person.teach(camera, IMAGES)
    train(person)
    newest = Path(train(person).model_path)
    first.end()
    newest.write_bytes(newest.read_bytes()[:-100])
    second: RunningNode = start_node()
    warning = second.wait_for_log('model version 2 does not serve')
    assert 'is not the file that was written' in warning
    second.wait_for_log('model version 1 serves')
    person.collect(Result, 'result').wait_for(of_version(1))
    status = person.collect(Status, 'status', LATCHED).wait_for(lambda _: True)
    assert 'model version 2 does not serve' in status.problems[0]
    refused = person.load_model(2)
    assert not refused.success
    assert refused.model_version == 1


def test_old_versions_are_deleted(start_node: Any, person: Person, tmp_path: Path) -> None:
    start_node({'keep_models': 2})
    camera = person.wait_until_ready().camera()
    person.teach(camera, IMAGES)
    for _ in range(3):
        train(person)
    models = sorted(path.name for path in (tmp_path / 'data' / 'models').glob('*.tflite'))
    assert models == ['model_000002.tflite', 'model_000003.tflite']
    assert 'There is no model version 1' in person.load_model(1).message


def test_cameras_have_classifications_of_their_own(start_node: Any, person: Person) -> None:
    start_node({'cameras': '[l, r]', 'l.image_topic': '/l', 'r.image_topic': '/r'})
    left, right = person.wait_until_ready().camera('/l'), person.camera('/r')
    person.teach(left, IMAGES)
    train(person)
    person.show(left, IMAGES['cat'])
    person.show(right, IMAGES['dog'])
    ours = {name: person.collect(Classification, f'{name}/classification') for name in 'lr'}
    for name, label in (('l', 'cat'), ('r', 'dog')):
        for _ in range(3):
            assert ours[name].next_one().results[0].class_id == label
