# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames become questions, are labelled and dismissed, over DDS, with one node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
import shutil
from types import SimpleNamespace
from typing import Any

import cv2
from edgetpu_retrain.client import retrain_client, RetrainClientError
from edgetpu_retrain.node.questions import question_services
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain_interfaces.msg import Status
from edgetpu_retrain_interfaces.srv import RemoveSamples
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from support.running_node import Camera, image_message, pattern, Person, RunningNode
from support.waiting import Collected, wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
# Pictures of none of the classes that were taught.
STRANGE = [image_message(pattern(seed)) for seed in (11, 12, 13, 14)]


@pytest.fixture(scope='module')
def node(
    package_path: str,
    small_extractor: Path,
    taught_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningNode]:
    folder = tmp_path_factory.mktemp('questions') / 'data'
    shutil.copytree(taught_folder, folder)
    # Every frame is unknown, so that what is asked does not depend on a tiny extractor.
    parameters = {'extractor': small_extractor, 'data_dir': folder, 'unknown_below': 1.0}
    with RunningNode(package_path, parameters) as running:
        yield running.wait_until_ready()


@pytest.fixture(scope='module')
def asker(node: RunningNode) -> Iterator[Person]:
    assert node.process.poll() is None
    with Person() as person:
        yield person.wait_until_ready()


@pytest.fixture(scope='module')
def statuses(asker: Person) -> Collected[Any]:
    return asker.collect(Status, 'status', LATCHED)


@pytest.fixture(scope='module')
def camera(asker: Person) -> Camera:
    return asker.camera()


def wait_for_total(asker: Person, total: int) -> None:
    wait_until(lambda: asker.list_questions(0).total == total)


@pytest.fixture
def ids(asker: Person, camera: Camera) -> Iterator[list[int]]:
    """Return the ids of two new questions, the older one first; nothing else is asked."""
    # An earlier image that is still on its way would be a third question.
    asker.show(camera, STRANGE[0])
    assert asker.set_parameter('max_questions', 50).successful
    wait_for_total(asker, 1)
    asker.show(camera, STRANGE[1])
    wait_for_total(asker, 2)
    assert asker.set_parameter('max_questions', 0).successful
    yield [each.id for each in reversed(asker.list_questions().questions)]
    left = [each.id for each in asker.list_questions().questions]
    if left:
        assert asker.answer('', *left).success
    asker.remove(forever=True)


def test_questions_are_off_by_default(asker: Person, camera: Camera) -> None:
    asker.show(camera, STRANGE[0])
    listed = asker.list_questions()
    assert (listed.success, listed.total, listed.questions) == (True, 0, [])
    assert listed.message == '0 questions to label; max_questions is 0: no frames are kept.'


def test_a_strange_frame_is_a_question(
    asker: Person, ids: list[int], statuses: Collected[Any]
) -> None:
    statuses.wait_for(lambda each: each.questions == 2)
    listed = asker.list_questions()
    assert [each.id for each in listed.questions] == ids[::-1]
    for question in listed.questions:
        assert (question.kind, question.camera, question.has_image) == ('unknown', 'camera', True)
        assert question.stamp.sec > 0
        assert question.model_version == 2
        assert question.labels[0] == 'unknown'
        assert len(question.labels) == len(question.scores) == 3
        assert question.scores[0] >= question.scores[1] >= question.scores[2] > 0
    assert asker.list_questions(1).questions == listed.questions[:1]
    too_many = asker.list_questions(1001)
    assert not too_many.success
    assert too_many.message == 'limit is 1001: ask for 0 to 1000 questions.'


def test_a_labelled_question_is_a_sample_and_a_question_again_after_undo(
    asker: Person, ids: list[int], statuses: Collected[Any]
) -> None:
    before = asker.list_samples()
    answered = asker.answer('owl', ids[0])
    assert (answered.success, answered.answered, answered.label_total) == (True, 1, 1)
    assert (answered.total, answered.questions) == (before.total + 1, 1)
    assert (
        answered.message == "1 question is labelled 'owl' now; train to apply this to the model."
    )
    (sample,) = asker.list_samples(label='owl', limit=9).samples
    assert (sample.camera, sample.has_image) == ('camera', True)
    assert sample.recording
    statuses.wait_for(lambda each: each.questions == 1 and 'owl' in each.labels)
    undone = asker.trigger('undo')
    assert undone.message == "Undid the labelling of 1 question as 'owl'."
    assert [each.id for each in asker.list_questions().questions] == ids[::-1]
    assert asker.list_samples().total == before.total
    statuses.wait_for(lambda each: each.questions == 2)
    assert asker.trigger('redo').message == "Redid the labelling of 1 question as 'owl'."
    assert asker.list_questions(0).total == 1
    assert asker.remove('owl', forever=True).success


def test_a_dismissed_question_is_gone_until_undo(asker: Person, ids: list[int]) -> None:
    dismissed = asker.answer('', *ids)
    assert (dismissed.success, dismissed.answered, dismissed.label_total) == (True, 2, 0)
    assert dismissed.questions == 0
    assert dismissed.message == '2 questions dismissed.'
    assert asker.trigger('undo').message == 'Undid the dismissal of 2 questions.'
    assert asker.list_questions(0).total == 2
    assert asker.trigger('redo').success
    erased = asker.remove(forever=True)
    assert erased.success
    assert '2 dismissed questions erased for ever' in erased.message


def test_wrong_answers_change_nothing(asker: Person, ids: list[int]) -> None:
    wrong: list[tuple[str, Sequence[int], str]] = [
        ('a/b', ids, "'a/b'"),
        ('owl', [*ids, 10**9], 'There is no question 1000000000, so nothing was changed'),
        ('', [10**9], 'There is no question 1000000000'),
        ('owl', [], 'ids has 0 questions: name 1 to 1000'),
        ('owl', range(1001), 'ids has 1001 questions'),
    ]
    for label, numbers, words in wrong:
        refused = asker.answer(label, *numbers)
        assert not refused.success
        assert words in refused.message
        assert (refused.answered, refused.questions) == (0, 2)
        assert refused.total > 0


def test_pictures_of_samples_and_questions(asker: Person, ids: list[int]) -> None:
    samples = [each.id for each in asker.list_samples(limit=3).samples]
    for of, numbers in (('samples', samples), ('questions', ids)):
        got = asker.get_pictures(of, [10**9, *numbers, 2**63])
        assert got.success
        assert [each.id for each in got.pictures] == numbers
        for picture in got.pictures:
            decoded = cv2.imdecode(np.asarray(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert max(decoded.shape[:2]) <= 320
    assert set(asker.robot.get_pictures('questions', [*ids, 10**9])) == set(ids)
    wrong: list[tuple[str, Sequence[int], str]] = [
        ('models', [1], "of is 'models': use 'samples' or 'questions'"),
        ('samples', [], 'ids has 0 pictures: ask for 1 to 256'),
        ('samples', range(257), 'ids has 257 pictures'),
    ]
    for of, asked, words in wrong:
        refused = asker.get_pictures(of, asked)
        assert not refused.success
        assert words in refused.message


def test_the_client_gets_any_number_of_pictures_and_answers(
    asker: Person, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrain_client, '_PICTURES', 1)
    robot = asker.robot
    assert [each.id for each in robot.list_questions()] == ids[::-1]
    pictures = robot.get_pictures('questions', [10**9, *ids])
    assert list(pictures) == ids
    assert robot.answer_questions(ids[:1], 'owl').label_total == 1
    assert [each.id for each in robot.list_questions(5)] == ids[1:]
    with pytest.raises(RetrainClientError, match='There is no question'):
        robot.answer_questions(ids, '')
    assert robot.undo() == "Undid the labelling of 1 question as 'owl'."


def test_a_response_with_pictures_is_limited_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jpeg = b'\xff\xd8\xff\xe0' + bytes(996)
    embedding = np.zeros(4, np.float32)
    with SampleStore(tmp_path / 'samples.db') as store:
        store.add([Sample('cat', {'e' * 64: embedding}, image=jpeg)] * 3, {'e' * 64: None})
        resources = SimpleNamespace(store=store)
        for limit, ids in ((3000, [1, 2, 3]), (2999, [1, 2]), (10, [1])):
            monkeypatch.setattr(question_services, 'MAX_PICTURE_BYTES', limit)
            found = question_services.pictures_of(resources, 'samples', (9, 1, 2, 3))
            assert [number for number, _ in found] == ids


def test_a_long_list_has_pages(asker: Person) -> None:
    everything = asker.list_samples(limit=10_000).samples
    first = asker.list_samples(limit=4).samples
    second = asker.list_samples(limit=10_000, before=first[-1].id).samples
    assert [*first, *second] == everything
    assert asker.list_samples(limit=9, before=everything[-1].id).samples == []
    assert asker.robot.newest_samples(4, before=first[0].id) == everything[1:5]


def test_single_samples_are_removed(asker: Person) -> None:
    before = asker.list_samples(limit=3)
    chosen = [before.samples[0].id, before.samples[2].id]
    removed = asker.remove(ids=chosen)
    assert (removed.success, removed.removed, removed.total) == (True, 2, before.total - 2)
    assert asker.list_samples(limit=1).samples == [before.samples[1]]
    assert asker.trigger('undo').success
    assert asker.list_samples().total == before.total
    for fields, words in (
        ({'ids': [*chosen, 10**9]}, 'There is no sample 1000000000, so nothing was changed'),
        ({'ids': chosen, 'label': 'cat'}, "There are ids, and label is 'cat' and n is 0"),
        ({'ids': chosen, 'n': 1}, 'n is 1'),
        ({'ids': list(range(1, 10_002))}, '10001 ids are more than 10000'),
    ):
        refused = asker.call(RemoveSamples, 'remove_samples', **fields)
        assert not refused.success
        assert words in refused.message
    assert asker.list_samples().total == before.total
    assert asker.remove(ids=chosen, forever=True).removed == 2
    assert asker.list_samples().total == before.total - 2
