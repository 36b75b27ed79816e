# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""~/add_samples, ~/remove_samples and ~/list_samples over DDS."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
import hashlib
import math
from pathlib import Path
from typing import Any

import cv2
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain_interfaces.msg import Status
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import (
    Camera,
    compressed_message,
    image_message,
    PATIENCE_S,
    pattern,
    Person,
    RunningNode,
    wait_for_response,
)
from support.waiting import wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def node(shared_node: RunningNode) -> RunningNode:
    """Return the node, which was taught nothing."""
    return shared_node


@pytest.fixture
def person(shared_person: Person) -> Iterator[Person]:
    """Return somebody without cameras; afterwards the node forgets what it was taught."""
    yield shared_person
    shared_person.close_cameras()
    for label in shared_person.list_samples().labels:
        assert shared_person.remove(label).success


@pytest.fixture
def camera(person: Person) -> Camera:
    """Return a camera that shows a pattern, which the node has seen."""
    camera = person.camera()
    person.show(camera, image_message(pattern(1)))
    return camera


@pytest.fixture
def samples_file(node: RunningNode) -> Path:
    """Return the file that the node writes, to be looked into from beside it."""
    line = node.wait_for_log('0 samples in ')
    return Path(line.split('0 samples in ')[1]) / 'samples.db'


def jpeg(seed: int) -> bytes:
    return bytes(cv2.imencode('.jpg', pattern(seed)[..., ::-1])[1].tobytes())


def png(seed: int) -> bytes:
    return bytes(cv2.imencode('.png', pattern(seed)[..., ::-1])[1].tobytes())


@pytest.mark.usefixtures('camera')
def test_live_frames_become_samples(
    person: Person, samples_file: Path, small_extractor: Path
) -> None:
    model = small_extractor.read_bytes()
    identity = hashlib.sha256(model).hexdigest()
    first = person.add('cat', count=3)
    assert first.success, first.message
    assert (first.added, first.label_total, first.total) == (3, 3, 3)
    second = person.add('dog')
    assert (second.added, second.label_total, second.total) == (1, 1, 4), '0 means 1'
    assert second.message == "1 sample of 'dog' added."
    # The answer means that they are on the disk: another connection sees them.
    with SampleStore(samples_file) as store:
        samples = store.training_set(extractor=identity)
    assert samples.names == ('cat', 'dog')
    assert samples.labels.tolist() == [0, 0, 0, 1]
    expected = Extractor(model).embed(pattern(1))
    np.testing.assert_array_equal(samples.embeddings, np.stack([expected] * 4))


@pytest.mark.usefixtures('camera')
def test_list_reports_the_samples_of_each_class(person: Person, small_extractor: Path) -> None:
    empty = person.list_samples()
    assert empty.success
    assert (list(empty.labels), list(empty.counts), empty.total) == ([], [], 0)
    person.add('zebra', count=2)
    person.add('ant')
    listed = person.list_samples()
    assert list(listed.labels) == ['zebra', 'ant'], 'in the order of teaching'
    assert list(listed.counts) == [2, 1]
    assert listed.total == 3
    assert listed.message == '2 classes, 3 samples.'
    assert listed.extractor == hashlib.sha256(small_extractor.read_bytes()).hexdigest()


@pytest.mark.usefixtures('camera')
def test_remove_forgets_the_newest_or_a_class(person: Person) -> None:
    person.add('cat', count=3)
    person.add('dog', count=2)
    newest = person.remove('cat', n=1)
    assert (newest.success, newest.removed, newest.label_total, newest.total) == (True, 1, 2, 4)
    of_all = person.remove(n=1)
    assert (of_all.removed, of_all.label_total, of_all.total) == (1, 0, 3)
    whole = person.remove('cat')
    assert (whole.removed, whole.label_total, whole.total) == (2, 0, 1)
    unknown = person.remove('cow')
    assert not unknown.success
    assert unknown.message == "There are no samples of 'cow'; there are: 'dog' (1)."
    both_empty = person.remove()
    assert not both_empty.success
    assert 'would remove everything' in both_empty.message
    assert both_empty.total == 1


def test_a_picture_in_the_request_is_embedded_instead_of_frames(
    person: Person, samples_file: Path, small_extractor: Path
) -> None:
    model = small_extractor.read_bytes()
    for label, content in (('cat', jpeg(5)), ('dog', png(6))):
        message = compressed_message(content)
        message.header.stamp.sec = 7
        answer = person.add(label, image=message)
        assert answer.success, answer.message
        assert (answer.added, answer.label_total) == (1, 1)
    with SampleStore(samples_file) as store:
        samples = store.training_set(extractor=hashlib.sha256(model).hexdigest())
    assert samples.names == ('cat', 'dog')
    np.testing.assert_array_equal(samples.embeddings[1], Extractor(model).embed(pattern(6)))


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


BAD_REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({'label': ''}, 'label is empty'),
    ({'label': 'x' * 101}, 'has 101 characters'),
    ({'label': '../cat'}, "contains '/'"),
    ({'label': 'a\\b'}, 'contains'),
    ({'label': 'a\nb'}, 'contains'),
    ({'label': ' cat'}, 'begins or ends with a space'),
    ({'label': 'cat', 'camera': 'rear'}, "no camera 'rear': name one of camera"),
    ({'label': 'cat', 'count': 1001}, 'count is 1001: ask for 1 to 1000'),
    ({'label': 'cat', 'timeout_s': -1.0}, 'timeout_s is -1.0'),
    ({'label': 'cat', 'timeout_s': math.nan}, 'timeout_s is nan'),
    ({'label': 'cat', 'min_interval_s': -0.1}, 'min_interval_s is -0.1'),
    ({'label': 'cat', 'min_interval_s': math.inf}, 'min_interval_s is inf'),
    ({'label': 'cat', 'image': compressed_message(b'no picture')}, 'neither JPEG, PNG nor WEBP'),
    ({'label': 'cat', 'image': compressed_message(cut_off(jpeg(1)))}, 'cut off or damaged'),
    ({'label': 'cat', 'image': compressed_message(cut_off(png(1)))}, 'is cut off'),
    ({'label': 'cat', 'image': compressed_message(jpeg(1)), 'count': 2}, 'count is 2, but one'),
    ({'label': '', 'image': compressed_message(jpeg(1))}, 'label is empty'),
    ({'label': 'c', 'camera': 'x', 'image': compressed_message(jpeg(1))}, "no camera 'x'"),
]


@pytest.mark.usefixtures('camera')
def test_bad_requests_say_what_is_wrong_and_leave_nothing(person: Person) -> None:
    for fields, words in BAD_REQUESTS:
        answer = person.add(**fields)
        assert not answer.success, fields
        assert words in answer.message, fields
        assert (answer.added, answer.total) == (0, 0)
    assert person.list_samples().total == 0
    assert person.add('cat').success, 'the node goes on'


@pytest.mark.usefixtures('camera')
def test_after_the_time_limit_it_reports_what_was_added(person: Person) -> None:
    # On a busy machine no frame may come within a second.
    for limit_s in (1.0, 10.0, 60.0):
        answer = person.add('cat', count=1000, min_interval_s=0.3, timeout_s=limit_s)
        if answer.added:
            break
    assert not answer.success
    assert 1 <= answer.added < 1000
    assert answer.label_total == answer.total == answer.added
    words = f"Time is up after {limit_s:.0f} s: {answer.added} of 1000 samples of 'cat'"
    assert words in answer.message


def test_without_a_camera_it_names_the_silent_topic(person: Person) -> None:
    # The node checks once a second whether a problem of another test's camera is over.
    person.collect(Status, 'status', LATCHED).wait_for(lambda status: not status.problems)
    answer = person.add('cat', count=2, timeout_s=0.2)
    assert not answer.success
    assert answer.added == 0
    assert 'no usable image came on /image' in answer.message


def test_requests_wait_beside_each_other(person: Person) -> None:
    waiting = [person.add_later(label, timeout_s=PATIENCE_S) for label in ('cat', 'dog')]
    # Neither keeps out the other, nor other services.
    assert person.list_samples().success
    camera = person.camera()
    camera.show(image_message(pattern(1)))
    for label in ('cat', 'dog'):
        assert person.add(label).success
    assert all(wait_for_response(future).success for future in waiting)


@pytest.mark.usefixtures('camera')
def test_a_person_who_leaves_while_waiting_does_no_harm(node: RunningNode, person: Person) -> None:
    before = len(node.log)
    asked: list[Future[Any]] = []
    with Person() as hasty:
        hasty.wait_until_ready()

        def is_captured() -> bool:
            # On a busy machine no frame may come within two seconds.
            if all(each.done() for each in asked):
                limits = {'min_interval_s': 0.1, 'timeout_s': 2.0}
                asked.append(hasty.add_later('cat', count=1000, **limits))
            return 'cat' in person.list_samples().labels

        wait_until(is_captured)
    assert person.add('dog', count=2).success

    def have_all_ended() -> bool:
        return sum('Time is up after 2 s' in line for line in node.log[before:]) == len(asked)

    wait_until(have_all_ended)
    assert list(person.list_samples().labels) == ['cat', 'dog']
