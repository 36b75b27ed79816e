# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Relabelling, undoing, near copies, pictures and regions of samples, over DDS."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import cv2
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from sensor_msgs.msg import RegionOfInterest
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
from support.small_models import build_extractor

pytestmark = pytest.mark.usefixtures('measured_processes')

IMAGES = {label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)}


@pytest.fixture
def camera(start_node: Any, person: Person) -> Camera:
    """Return the camera of a robot that was taught two cats, then three dogs."""
    start_node()
    camera = person.wait_until_ready().camera()
    for label, count in (('cat', 2), ('dog', 3)):
        person.show(camera, IMAGES[label])
        assert person.add(label, count=count).success
    return camera


def counts(person: Person) -> dict[str, int]:
    listed = person.list_samples()
    assert listed.success
    return dict(zip(listed.labels, listed.counts, strict=True))


@pytest.mark.usefixtures('camera')
def test_single_samples_are_listed_newest_first(person: Person) -> None:
    assert person.list_samples().samples == []
    listed = person.list_samples(limit=4)
    assert [sample.label for sample in listed.samples] == ['dog'] * 3 + ['cat']
    ids = [sample.id for sample in listed.samples]
    assert sorted(ids, reverse=True) == ids
    for sample in listed.samples:
        assert sample.camera == 'camera'
        assert sample.stamp.sec > 0
        assert sample.has_image
    assert [sample.label for sample in person.list_samples(label='cat', limit=9).samples] == [
        'cat'
    ] * 2
    refused = person.list_samples(label='cow', limit=1)
    assert not refused.success
    assert refused.message == "There are no samples of 'cow'; there are: 'cat' (2), 'dog' (3)."


@pytest.mark.usefixtures('camera')
def test_a_class_or_single_samples_get_another_label(person: Person) -> None:
    whole = person.relabel('kitten', label='cat')
    assert whole.success, whole.message
    assert (whole.relabelled, whole.label_total, whole.total) == (2, 2, 5)
    assert "2 samples are labelled 'kitten' now" in whole.message
    newest = person.list_samples(label='dog', limit=1).samples[0].id
    single = person.relabel('kitten', ids=[newest])
    assert (single.success, single.relabelled, single.label_total) == (True, 1, 3)
    assert counts(person) == {'kitten': 3, 'dog': 2}
    for fields, words in (
        ({'new_label': 'x'}, 'Give either the label'),
        ({'new_label': 'x', 'label': 'dog', 'ids': [newest]}, 'Give either the label'),
        ({'new_label': 'x', 'label': 'cow'}, "There are no samples of 'cow'"),
        ({'new_label': 'x', 'ids': [newest, 999]}, 'There is no sample 999'),
        ({'new_label': 'a/b', 'label': 'dog'}, "contains '/'"),
        ({'new_label': 'unknown', 'label': 'dog'}, 'is reserved'),
        ({'new_label': 'dog', 'label': 'dog'}, 'is called'),
    ):
        refused = person.relabel(**fields)
        assert not refused.success
        assert words in refused.message
    assert counts(person) == {'kitten': 3, 'dog': 2}


@pytest.mark.usefixtures('camera')
def test_undo_and_redo_go_back_and_forth_in_all_changes(person: Person) -> None:
    assert person.remove('cat').removed == 2
    last = person.trigger('undo')
    assert last.success
    assert last.message == "Undid the removal of 2 samples of 'cat'."
    assert counts(person) == {'cat': 2, 'dog': 3}
    assert person.trigger('undo').message == "Undid the addition of 3 samples of 'dog'."
    assert person.trigger('undo').message == "Undid the addition of 2 samples of 'cat'."
    empty = person.trigger('undo')
    assert not empty.success
    assert 'nothing to undo' in empty.message
    assert person.trigger('redo').message == "Redid the addition of 2 samples of 'cat'."
    assert counts(person) == {'cat': 2}
    assert person.add('bird').success
    empty = person.trigger('redo')
    assert not empty.success
    assert 'nothing to redo' in empty.message


@pytest.mark.usefixtures('camera')
def test_samples_are_erased_for_ever(person: Person) -> None:
    assert person.remove('dog', 1).removed == 1
    erased = person.remove('dog', forever=True)
    assert erased.message == "3 samples of 'dog' erased for ever."
    assert (erased.removed, erased.label_total, erased.total) == (3, 0, 2)
    assert person.remove('cat', 1).removed == 1
    assert person.remove(forever=True).removed == 1
    nothing = person.remove(forever=True)
    assert not nothing.success
    assert 'nothing to erase' in nothing.message
    nothing = person.remove('dog', forever=True)
    assert "There are no samples of 'dog'; there are: 'cat' (1)" in nothing.message
    assert not person.remove().success
    assert counts(person) == {'cat': 1}
    assert person.trigger('undo').message == "Undid the addition of 1 sample of 'cat'."


@pytest.mark.parametrize('min_novelty', [0.0, 0.01])
def test_near_copies_are_left_out_and_counted(
    min_novelty: float, camera: Camera, person: Person
) -> None:
    still = {'count': 2, 'min_novelty': min_novelty, 'timeout_s': 5.0}
    same = person.add('dog', **still)
    assert same.success, same.message
    assert (same.added, same.label_total) == (0, 3)
    assert same.skipped >= 2
    assert same.message == (
        f"Time is up after 5 s: 0 of 2 samples of 'dog' were added; {same.skipped} frames were "
        'near copies of its samples and not stored. Move the camera, or what it sees, to other '
        'views: copies teach nothing.'
    )
    person.show(camera, image_message(pattern(9)))
    other = person.add('dog', **still)
    assert (other.success, other.added, other.label_total) == (True, 1, 4)
    assert f"1 of 2 samples of 'dog' were added; {other.skipped} frame" in other.message
    assert 'Move the camera' in other.message


def test_count_is_that_of_stored_samples(camera: Camera, person: Person) -> None:
    waiting = person.add_later('dog', count=3, min_novelty=0.01, timeout_s=PATIENCE_S)
    # The node may receive the first images before the request.
    seeds = itertools.count(11)
    while not waiting.done():
        person.show(camera, image_message(pattern(next(seeds))))
    response = wait_for_response(waiting)
    assert (response.success, response.added) == (True, 3)
    assert response.message.startswith("3 samples of 'dog' added")
    assert 'Move' not in response.message


def test_a_picture_that_is_a_near_copy_is_not_added(camera: Camera, person: Person) -> None:
    person.show(camera, image_message(pattern(9)))
    assert person.add('dog').added == 1
    picture = compressed_message(bytes(cv2.imencode('.png', pattern(9)[..., ::-1])[1].tobytes()))
    known = person.add('dog', image=picture, min_novelty=0.01)
    assert (known.success, known.added, known.skipped) == (True, 0, 1)
    assert 'near copy' in known.message
    assert 'min_novelty is 3.0' in person.add('dog', min_novelty=3.0).message


def stored_pictures(data_dir: Path, identity: str) -> list[Any]:
    with SampleStore(data_dir / 'samples.db') as store:
        samples = store.list_samples(extractor=identity)
        found = [store.picture(sample.sample_id) for sample in reversed(samples)]
    return [
        cv2.imdecode(np.frombuffer(each.jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        for each in found
        if each is not None
    ]


def test_a_region_of_live_frames_and_of_a_picture(
    start_node: Any, person: Person, small_extractor: Path, tmp_path: Path
) -> None:
    start_node({'store_images': 'full'})
    camera = person.wait_until_ready().camera()
    camera.show(IMAGES['cat'])
    roi = RegionOfInterest(x_offset=8, y_offset=16, width=32, height=24)
    assert person.add('cat', roi=roi).success
    picture = compressed_message(bytes(cv2.imencode('.png', pattern(1)[..., ::-1])[1].tobytes()))
    assert person.add('cat', roi=roi, image=picture).success
    cut = pattern(1)[16:40, 8:40]
    model = small_extractor.read_bytes()
    identity = hashlib.sha256(model).hexdigest()
    with SampleStore(tmp_path / 'data' / 'samples.db') as store:
        embeddings = store.training_set(extractor=identity).embeddings
    np.testing.assert_array_equal(embeddings, [Extractor(model).embed(cut)] * 2)
    for stored in stored_pictures(tmp_path / 'data', identity):
        assert stored.shape == cut.shape
        assert np.abs(stored.astype(int) - cut).mean() < 20
    for wrong, words in (
        (RegionOfInterest(x_offset=60, width=5, height=5), 'reaches beyond the image of 64x48'),
        (RegionOfInterest(x_offset=1), 'impossible: give it a width and a height'),
        (RegionOfInterest(width=5, height=5, do_rectify=True), 'do_rectify'),
    ):
        refused = person.add('cat', roi=wrong)
        assert not refused.success
        assert words in refused.message
    assert person.list_samples().total == 2


def test_pictures_let_another_extractor_take_the_samples_over(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    first: RunningNode = start_node({'store_images': 'thumbnail'})
    camera = person.wait_until_ready().camera()
    camera.show(image_message(np.tile(pattern(1), (10, 10, 1))))
    assert person.add('cat', count=3, timeout_s=60.0).success
    assert not person.trigger('reembed_samples').success, 'all are of this extractor'
    first.end()
    model = build_extractor('int8', dimension=12, image_size=16, seed=3)
    other = tmp_path / 'other.tflite'
    other.write_bytes(model)
    second: RunningNode = start_node({'extractor': other, 'store_images': 'none'})
    second.wait_for_log('3 samples of other extractors are kept')
    person.wait_until_ready()
    assert person.list_samples().total == 0, 'embeddings of another are not mixed in'
    assert person.add('dog').success
    done = person.trigger('reembed_samples')
    assert done.success, done.message
    assert done.message == '3 samples were embedded again.'
    assert counts(person) == {'cat': 3, 'dog': 1}
    identity = hashlib.sha256(model).hexdigest()
    for picture in stored_pictures(tmp_path / 'data', identity):
        assert max(picture.shape) == 320
