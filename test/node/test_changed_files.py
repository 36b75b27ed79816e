# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Somebody deletes or moves files of the data folder while the node uses them."""

from __future__ import annotations

from pathlib import Path
import shutil
import signal
from typing import Any

from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain_interfaces.msg import Result, Status
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import Camera, Person, RunningNode, TAUGHT, TAUGHT_IMAGES

LATCHED = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)
REQUESTS = 10


@pytest.fixture
def camera(person: Person) -> Camera:
    """Return a camera that shows a cat."""
    camera = person.camera()
    camera.show(TAUGHT_IMAGES['cat'])
    return camera


def wait_for_problem(person: Person, words: str) -> None:
    """Wait until ~/status has a problem with these words; '' = until there is none."""

    def is_told(status: Any) -> bool:
        # A busy machine loses images.
        problems = [each for each in status.problems if 'are lost on the way' not in each]
        return words in ' '.join(problems) if words else not problems

    person.collect(Status, 'status', LATCHED).wait_for(is_told)


def add(person: Person, times: int) -> int:
    """Add samples one by one; return the number of those that are acknowledged."""
    answers = [person.add('cat', count=1, timeout_s=60.0) for _ in range(times)]
    for answer in answers:
        assert answer.success or 'while it was in use' in answer.message, answer.message
    return sum(answer.added for answer in answers)


def samples_in(path: Path, extractor: str) -> int:
    with SampleStore(path) as store:
        return sum(store.counts(extractor=extractor).values())


@pytest.mark.usefixtures('camera')
def test_after_the_database_was_deleted_what_is_acknowledged_is_kept(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    # The log before the database, so that it is not that of the database that the node opens next.
    for file in sorted(taught_data.glob('samples.db*'), reverse=True):
        file.unlink()
    wait_for_problem(person, 'samples.db was removed while it was in use')
    node.wait_for_log('samples.db was removed while it was in use')
    acknowledged = add(person, REQUESTS)
    assert acknowledged == REQUESTS, 'the node has opened a new database'
    wait_for_problem(person, '')
    assert list(person.list_samples().counts) == [acknowledged]
    node.end(signal.SIGKILL)
    start_node().wait_until_ready()
    assert list(person.wait_until_ready().list_samples().counts) == [acknowledged]


@pytest.mark.usefixtures('camera')
def test_after_the_database_was_moved_all_samples_are_there_and_what_is_acknowledged_is_kept(
    start_node: Any, person: Person, taught_data: Path, tmp_path: Path
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    assert add(person, 5) == 5
    extractor = person.list_samples().extractor
    moved = tmp_path / 'moved.db'
    (taught_data / 'samples.db').rename(moved)
    acknowledged = add(person, REQUESTS)
    wait_for_problem(person, '')
    node.end(signal.SIGKILL)
    assert samples_in(moved, extractor) == 2 * TAUGHT + 5, 'without the log that stayed behind'
    start_node().wait_until_ready()
    assert list(person.wait_until_ready().list_samples().counts) == [acknowledged]
    assert acknowledged >= REQUESTS - 1


@pytest.mark.usefixtures('camera')
def test_while_the_data_folder_is_gone_nothing_is_acknowledged_and_frames_are_classified(
    start_node: Any, person: Person, taught_data: Path, tmp_path: Path
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    moved = tmp_path / 'moved'
    taught_data.rename(moved)
    wait_for_problem(person, 'owner was removed')
    shutil.copytree(moved, taught_data)
    wait_for_problem(person, 'owner was replaced')
    added = person.add('cat', count=1, timeout_s=60.0)
    answers = [added, person.trigger('undo'), person.load_model(1)]
    for answer in answers:
        assert not answer.success
        assert 'owner was replaced' in answer.message
    _, result = person.train(num_iter=5)
    assert not result.success
    assert 'owner was replaced' in result.message
    person.collect(Result, 'result').next_one()

    shutil.rmtree(taught_data)
    moved.rename(taught_data)
    assert add(person, 2) == 2
    wait_for_problem(person, '')
    assert person.list_samples().total == 2 * TAUGHT + 2
    assert not any('Traceback' in line for line in node.log)


@pytest.mark.usefixtures('camera')
def test_deleted_models_are_reported_and_the_next_training_stores_its_model(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    start_node()
    person.wait_until_ready()
    shutil.rmtree(taught_data / 'models')
    wait_for_problem(person, 'model version 2 serves only until the node ends')
    refused = person.load_model(1)
    assert not refused.success
    assert 'There is no model version 1' in refused.message
    _, result = person.train(num_iter=100, learning_rate=0.1)
    assert result.success, result.message
    assert (taught_data / 'models' / f'model_{result.model_version:06d}.json').exists()
    wait_for_problem(person, '')
