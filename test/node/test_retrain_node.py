# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole node over DDS: classifications, restarts, a broken store, photographs."""

from __future__ import annotations

import contextlib
from pathlib import Path
import sqlite3
from typing import Any

from action_msgs.msg import GoalStatus
import cv2
import edgetpu_retrain.demo.photographs
import numpy as np
import pytest
from support.robot_messages import classified_as
from support.running_node import image_message, pattern, Person, RunningNode

pytestmark = pytest.mark.usefixtures('measured_processes')

PICTURES = {label: pattern(seed) for seed, label in enumerate(('cat', 'dog', 'bird'), start=1)}
IMAGES = {label: image_message(picture) for label, picture in PICTURES.items()}


def test_every_picture_is_classified_with_its_label_and_header(
    start_node: Any, person: Person
) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    person.teach_and_train(camera, IMAGES)
    for label, message in IMAGES.items():
        camera.show(message)
        classification = person.classifications.wait_for(
            classified_as(label), since=len(person.classifications)
        )
        scores = [each.score for each in classification.results]
        assert sorted(scores, reverse=True) == scores
        assert sum(scores) == pytest.approx(1.0, abs=0.02)
        assert {each.class_id for each in classification.results} == set(IMAGES)
        header = classification.header
        assert header.frame_id == 'camera_frame'
        stamp = header.stamp.sec * 10**9 + header.stamp.nanosec
        assert stamp in camera.stamps


def test_without_a_model_nothing_is_published_and_that_is_logged_once(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    camera.show(IMAGES['cat'])
    # Captured frames prove that frames were handled; none of them was classified.
    assert person.add('cat', count=5).success
    assert len(person.classifications) == 0
    node.end()
    logged = [line for line in node.log if 'nothing is published on ~/classification' in line]
    assert len(logged) == 1


def test_a_restarted_node_keeps_samples_and_model(start_node: Any, person: Person) -> None:
    first: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    person.teach_and_train(camera, IMAGES)
    assert first.end() == 0
    before = len(person.classifications)
    second: RunningNode = start_node()
    second.wait_for_log('model version 1 serves')
    second.wait_for_log('18 samples in ')
    camera.show(IMAGES['dog'])
    person.classifications.wait_for(classified_as('dog'), since=before)
    assert list(person.wait_until_ready().list_samples().counts) == [6, 6, 6]
    assert person.train(num_iter=5)[1].model_version == 2


def test_a_broken_store_is_reported_and_frames_are_still_classified(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    person.teach_and_train(camera, IMAGES)
    file = tmp_path / 'data' / 'samples.db'
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute('DROP TABLE embeddings')
    response = person.add('cat', count=3, timeout_s=60.0)
    assert not response.success
    assert response.added == 0
    assert 'samples.db' in response.message
    assert not person.list_samples().success
    status, result = person.train()
    assert status == GoalStatus.STATUS_ABORTED
    assert 'samples.db' in result.message
    assert person.classifications.next_one().results


def test_the_default_extractor_distinguishes_photographs(start_node: Any, person: Person) -> None:
    folder = Path(edgetpu_retrain.demo.photographs.__path__[0])
    node: RunningNode = start_node({'extractor': "''"})
    node.wait_for_log('efficientnet_lite0')
    photographs = {}
    for path in sorted(folder.glob('*.jpg'))[:3]:
        picture = cv2.imread(str(path))
        photographs[path.stem] = cv2.resize(picture, (320, 240))[..., ::-1]
    camera = person.wait_until_ready().camera()
    person.teach_and_train(
        camera, {label: image_message(picture) for label, picture in photographs.items()}
    )
    for label, picture in photographs.items():
        # A new view: the middle of the picture, mirrored.
        camera.show(image_message(np.ascontiguousarray(picture[15:-15, -20:20:-1])))
        person.classifications.wait_for(classified_as(label), since=len(person.classifications))
