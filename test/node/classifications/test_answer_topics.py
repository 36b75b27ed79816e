# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What leaves the node about frames and about itself, over DDS."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain_interfaces.msg import Embedding, Result, Status
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import Camera, image_message, pattern, Person

pytestmark = pytest.mark.usefixtures('measured_processes')

IMAGES = {label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)}
LATCHED = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def serve(person: Person) -> Camera:
    camera = person.wait_until_ready().camera()
    person.teach(camera, IMAGES)
    status, result = person.train(num_iter=300, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    return camera


def set_parameter(person: Person, name: str, value: float | str) -> None:
    result = person.set_parameter(name, value)
    assert result.successful, result.reason


@pytest.mark.parametrize('trained', [False, True])
def test_embeddings_are_published_while_somebody_subscribes(
    start_node: Any, person: Person, small_extractor: Path, *, trained: bool
) -> None:
    start_node()
    camera = serve(person) if trained else person.wait_until_ready().camera()
    camera.show(IMAGES['dog'])
    model = small_extractor.read_bytes()
    embeddings = person.collect(Embedding, 'embedding')
    embedding = embeddings.next_one()
    expected = Extractor(model).embed(pattern(2))
    np.testing.assert_array_equal(np.frombuffer(bytes(embedding.data), np.uint8), expected)
    assert embedding.dtype == 'uint8'
    assert embedding.extractor == hashlib.sha256(model).hexdigest()
    assert embedding.scale > 0.0
    assert embedding.camera == 'camera'
    assert embedding.header.frame_id == 'camera_frame'
    stamp = embedding.header.stamp.sec * 10**9 + embedding.header.stamp.nanosec
    assert stamp in camera.stamps


def test_a_low_score_is_classified_as_unknown(start_node: Any, person: Person) -> None:
    start_node()
    camera = serve(person)
    results = person.collect(Result, 'result')
    assert not results.next_one().unknown
    set_parameter(person, 'unknown_below', 1.0)
    camera.show(IMAGES['cat'])
    result = results.wait_for(lambda each: each.unknown, since=len(results))
    hypotheses = result.classification.results
    assert hypotheses[0].class_id == 'unknown'
    assert {each.class_id for each in hypotheses[1:]} == set(IMAGES)
    assert hypotheses[0].score == max(each.score for each in hypotheses)
    person.classifications.wait_for(lambda each: each.results[0].class_id == 'unknown')
    set_parameter(person, 'unknown_below', 0.0)
    results.wait_for(lambda each: not each.unknown, since=len(results))


def test_an_untaught_object_is_classified_as_unknown(start_node: Any, person: Person) -> None:
    start_node()
    camera = serve(person)
    results = person.collect(Result, 'result')
    known = results.next_one()
    assert known.unknown_score <= known.unknown_threshold
    camera.show(image_message(pattern(3)))
    strange = results.wait_for(lambda each: each.unknown, since=len(results))
    assert strange.unknown_score > strange.unknown_threshold == known.unknown_threshold
    assert strange.classification.results[0].class_id == 'unknown'
    person.classifications.wait_for(lambda each: each.results[0].class_id == 'unknown')


def test_the_background_is_published_as_unknown(start_node: Any, person: Person) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    person.teach_and_train(camera, {'cat': IMAGES['cat'], 'background': IMAGES['dog']})
    results = person.collect(Result, 'result')
    empty = results.next_one()
    assert empty.unknown
    assert empty.unknown_score <= empty.unknown_threshold
    assert [each.class_id for each in empty.classification.results] == ['unknown', 'cat']
    person.classifications.wait_for(lambda each: each.results[0].class_id == 'unknown')
    camera.show(IMAGES['cat'])
    cat = results.wait_for(lambda each: not each.unknown, since=len(results))
    assert [each.class_id for each in cat.classification.results] == ['cat', 'unknown']
    assert sum(each.score for each in cat.classification.results) == pytest.approx(1.0)
    camera.show(IMAGES['dog'])
    set_parameter(person, 'background_label', '')
    named = results.wait_for(
        lambda each: each.classification.results[0].class_id == 'background', since=len(results)
    )
    assert not named.unknown
    status = person.collect(Status, 'status', LATCHED).wait_for(lambda each: each.model_version)
    assert list(status.model_labels) == ['cat', 'background']


def test_smoothing_delays_a_class_and_keeps_the_raw_result(
    start_node: Any, person: Person
) -> None:
    start_node()
    camera = serve(person)
    set_parameter(person, 'smoothing_frames', 20)
    camera.show(IMAGES['cat'])
    results = person.collect(Result, 'result')

    def is_steady(label: str) -> Any:
        return lambda each: (
            each.smoothed.results[0].class_id == each.classification.results[0].class_id == label
            and each.smoothed.results[0].score
            == pytest.approx(each.classification.results[0].score, abs=1e-3)
        )

    results.wait_for(is_steady('cat'))
    before = len(results)
    camera.show(IMAGES['dog'])
    results.wait_for(is_steady('dog'), since=before)
    lagging = [
        each
        for each in results[before:]
        if each.classification.results[0].class_id == 'dog'
        and each.smoothed.results[0].class_id == 'cat'
    ]
    assert lagging
    assert person.classifications.next_one().results[0].class_id == 'dog'


def test_diagnostics_contain_the_node_and_each_camera(start_node: Any, person: Person) -> None:
    start_node({'cameras': '[front, rear]', 'front.image_topic': '/image'})
    arrays = person.collect(DiagnosticArray, '/diagnostics')
    serve(person)

    def has_classified(array: Any) -> bool:
        values = {each.key: each.value for each in array.status[1].values}
        return int(values['frames classified']) > 0

    def all_well(array: Any) -> bool:
        return all(each.level == DiagnosticStatus.OK for each in array.status)

    # Both cameras read one topic, and either may be the first.  A busy machine loses images.
    array = arrays.wait_for(
        lambda each: has_classified(each) and all_well(each), since=len(arrays)
    )
    node, front, rear, device = array.status
    assert [each.name for each in array.status] == [
        'edgetpu_retrain: node',
        'edgetpu_retrain: camera front',
        'edgetpu_retrain: camera rear',
        'edgetpu_retrain: device auto',
    ]
    values = {each.key: each.value for each in node.values}
    assert values['state'] == node.message == 'active'
    assert values['device'] == node.hardware_id == device.hardware_id == 'cpu'
    assert values['samples'] == '12'
    assert values['model version'] == '1'
    assert 'Model version 1 serves' in values['last training']
    frames = {each.key: each.value for each in front.values}
    assert int(frames['frames received']) >= int(frames['frames classified']) > 0
    for stage in ('waiting', 'conversion', 'resize', 'inference', 'publication', 'total'):
        assert 0.0 <= float(frames[f'{stage} p50 (ms)']) <= float(frames[f'{stage} p99 (ms)'])
    assert {each.key: each.value for each in rear.values}['frames received'] != ''
    assert arrays.next_one().header.stamp != array.header.stamp


def test_a_silent_camera_is_in_the_diagnostics_and_in_the_status(
    start_node: Any, person: Person
) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    arrays = person.collect(DiagnosticArray, '/diagnostics')
    statuses = person.collect(Status, 'status', LATCHED)
    status = statuses.wait_for(lambda each: len(each.problems) == 1)
    assert 'no image has arrived for 4 s' in status.problems[0]
    array = arrays.wait_for(
        lambda each: each.status[0].level == DiagnosticStatus.WARN, since=len(arrays) - 1
    )
    _node, camera_status, _device = array.status
    assert camera_status.level == DiagnosticStatus.WARN
    assert 'no image has arrived' in camera_status.message
    since = len(statuses)
    camera.show(IMAGES['cat'])
    statuses.wait_for(lambda each: not each.problems, since=since)


def test_every_change_of_the_status_is_published(start_node: Any, person: Person) -> None:
    start_node()
    statuses = person.collect(Status, 'status', LATCHED)
    serve(person)
    # The samples are counted beside the training.
    last = statuses.wait_for(
        lambda each: (each.model_version, each.training, list(each.counts)) == (1, False, [6, 6])
    )
    assert last.state == 'active'
    assert list(last.cameras) == ['camera']
    assert list(last.labels) == ['cat', 'dog']
    assert list(last.model_labels) == ['cat', 'dog']
    assert last.model_path.endswith('model_000001.tflite')
    assert 'Model version 1 serves' in last.last_training
    assert any(each.training for each in statuses)
    late = person.collect(Status, 'status', LATCHED)
    assert late.wait_for(lambda _: True).model_path == last.model_path
    person.remove('cat')
    statuses.wait_for(lambda each: list(each.labels) == ['dog'])
