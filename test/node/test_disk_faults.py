# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a disk can do to the whole node: each is told, and frames are still answered."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import fcntl
import os
from pathlib import Path
import resource
import sqlite3
from typing import Any

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from edgetpu_retrain_interfaces.msg import Result, Status
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import (
    Camera,
    Person,
    RunningNode,
    TAUGHT,
    TAUGHT_IMAGES,
    wait_for_response,
)

LATCHED = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# No file may be longer than this; all that is stored is.
FULL_DISK_BYTES = 20
TROUBLED = (str(Path(__file__).with_name('node_in_trouble.py')),)


@pytest.fixture
def camera(person: Person) -> Camera:
    """Return a camera that shows a cat."""
    camera = person.camera()
    camera.show(TAUGHT_IMAGES['cat'])
    return camera


def train(person: Person) -> None:
    status, result = person.train(num_iter=100, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message


def check_serves(person: Person, version: int) -> None:
    """Wait for a frame that is answered, by a version of the model."""
    results = person.collect(Result, 'result')
    results.next_one()
    # Frames before this moment may have been answered before the fault.
    assert results.next_one().model_version == version


def check_refused(person: Person, words: str) -> None:
    """Ask for all that needs the samples; each answer has to have these words."""
    answers = [
        person.add('cat', count=2, timeout_s=60.0),
        person.remove('cat', 1),
        person.relabel('cow', label='cat'),
        person.trigger('undo'),
        person.trigger('redo'),
    ]
    for answer in answers:
        assert not answer.success
        assert words in answer.message
        assert 'What to do: ' in answer.message


def check_told(person: Person, words: str) -> None:
    """Wait until ~/status and /diagnostics say it."""
    statuses = person.collect(Status, 'status', LATCHED)
    statuses.wait_for(lambda each: words in ' '.join(each.problems))
    person.collect(DiagnosticArray, '/diagnostics').wait_for(
        lambda each: (
            each.status[0].level == DiagnosticStatus.WARN and words in each.status[0].message
        )
    )


def check_well(person: Person) -> None:
    """Wait until ~/status has no problem any more, except that a busy machine loses images."""
    person.collect(Status, 'status', LATCHED).wait_for(
        lambda each: all('are lost on the way' in problem for problem in each.problems)
    )


def _newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute('PRAGMA user_version=99')


def _of_another_program(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute('CREATE TABLE recipes (name TEXT)')


def _not_a_database(file: Path) -> None:
    file.write_bytes(b'label,camera\n' * 1000)


def _cut_short(file: Path) -> None:
    os.truncate(file, 8000)


@pytest.mark.usefixtures('camera')
@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (_newer, 'was written by a newer release (schema 99'),
        (_of_another_program, 'is a database of another program'),
        (_not_a_database, 'file is not a database'),
        (_cut_short, 'malformed'),
    ],
)
def test_an_unusable_database_is_reported_and_kept_and_frames_are_classified(
    start_node: Any,
    person: Person,
    taught_data: Path,
    spoil: Callable[[Path], None],
    words: str,
) -> None:
    file = taught_data / 'samples.db'
    spoil(file)
    before = file.read_bytes()
    node: RunningNode = start_node()
    assert '[ERROR]' in node.wait_for_log(words)
    person.wait_until_ready()
    check_refused(person, words)
    assert words in person.list_samples().message
    status, result = person.train()
    assert status == GoalStatus.STATUS_ABORTED
    assert words in result.message
    check_told(person, words)
    check_serves(person, 2)
    assert file.read_bytes() == before
    if spoil is not _cut_short:
        # What could not even be opened is tried again each time.
        file.rename(taught_data / 'moved_away.db')
        assert person.add('cat', count=2, timeout_s=60.0).label_total == 2
        check_well(person)
    assert not any('Traceback' in line for line in node.log)


@pytest.mark.usefixtures('camera')
def test_on_a_read_only_disk_it_starts_and_classifies_frames(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    folders = (taught_data, taught_data / 'models')
    for folder in folders:
        for path in (folder, *folder.iterdir()):
            path.chmod(path.stat().st_mode & ~0o222)
    try:
        node: RunningNode = start_node(program=TROUBLED).wait_until_ready()
        person.wait_until_ready()
        check_refused(person, 'write permission')
        status, result = person.train()
        assert status == GoalStatus.STATUS_ABORTED
        assert 'write permission' in result.message
        refused = person.load_model(1)
        assert not refused.success
        assert 'Cannot write down which model serves' in refused.message
        assert refused.model_version == 2
        check_told(person, 'model version 2 serves, but that could not be written down')
        check_told(person, 'samples.db')
        check_serves(person, 2)
        assert node.end() == 0
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert not any('Traceback' in line for line in node.log)


@pytest.mark.usefixtures('camera')
def test_on_a_full_disk_nothing_is_lost_and_it_continues_when_there_is_space(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    pid = node.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    check_serves(person, 2)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_DISK_BYTES, hard))
    answer = person.add('cat', count=5, timeout_s=60.0)
    assert not answer.success
    assert answer.added == 0
    assert 'samples.db' in answer.message
    assert 'What to do: ' in answer.message
    check_told(person, 'Cannot store a sample in')
    status, result = person.train(num_iter=100, learning_rate=0.1)
    assert status == GoalStatus.STATUS_ABORTED
    assert 'Cannot write a model to' in result.message
    assert 'free space' in result.message
    assert 'free space' in person.load_model(1).message
    check_serves(person, 2)
    assert list(person.list_samples().counts) == [TAUGHT, TAUGHT]

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert person.add('cat', count=2, timeout_s=60.0).label_total == TAUGHT + 2
    check_well(person)
    train(person)
    assert not list((taught_data / 'models').glob('.*.partial'))
    assert not any('Traceback' in line for line in node.log)


@pytest.mark.usefixtures('camera')
def test_a_database_locked_by_another_program_is_reported_and_works_again(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    node: RunningNode = start_node(program=TROUBLED)
    person.wait_until_ready()
    check_serves(person, 2)
    file = taught_data / 'samples.db'
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute('BEGIN IMMEDIATE')
        waiting = person.add_later('cat', count=10, timeout_s=60.0)
        check_serves(person, 2)
        answer = wait_for_response(waiting)
        assert not answer.success
        assert answer.added == 0
        assert 'database is locked' in answer.message
        assert 'close that program' in answer.message
        node.wait_for_log('database is locked')
        check_told(person, 'database is locked')
        assert list(person.list_samples().counts) == [TAUGHT, TAUGHT], 'reading goes on'
        other.execute('ROLLBACK')
    answer = person.add('cat', count=2, timeout_s=60.0)
    assert (answer.added, answer.label_total) == (2, TAUGHT + 2)
    check_well(person)


@pytest.mark.usefixtures('camera')
def test_a_model_file_that_has_no_record_is_neither_served_nor_in_the_way(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    (taught_data / 'models' / 'model_000099.tflite').write_bytes(os.urandom(5000))
    start_node()
    person.wait_until_ready()
    check_serves(person, 2)
    refused = person.load_model(99)
    assert not refused.success
    assert 'Model version 99' in refused.message
    assert 'has no record' in refused.message
    assert refused.model_version == 2
    train(person)
    check_serves(person, 100)


@pytest.mark.usefixtures('camera')
def test_a_program_that_hangs_while_it_writes_a_model_is_reported_and_blocks_nothing(
    start_node: Any, person: Person, taught_data: Path
) -> None:
    start_node(program=TROUBLED)
    person.wait_until_ready()
    check_serves(person, 2)
    with (taught_data / 'models' / '.lock').open('ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused = person.load_model(1)
        assert not refused.success
        assert 'another program writes there' in refused.message
        status, result = person.train(num_iter=100, learning_rate=0.1)
        assert status == GoalStatus.STATUS_ABORTED
        assert 'another program writes there' in result.message
        check_serves(person, 2)
    assert person.load_model(1).success
    train(person)
    check_serves(person, 3)
