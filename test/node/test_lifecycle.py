# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle over DDS: who may do what in which state, and what each transition frees."""

from __future__ import annotations

import contextlib
from pathlib import Path
import shutil
import sqlite3
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain_interfaces.msg import Status
from lifecycle_msgs.msg import Transition
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import (
    Camera,
    image_message,
    pattern,
    Person,
    RunningNode,
    wait_for_response,
)
from support.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

IMAGES = {label: image_message(pattern(seed)) for seed, label in enumerate(('cat', 'dog'), 1)}
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
ENDLESS = 1_000_000


@pytest.fixture
def node(start_node: Any) -> RunningNode:
    """Return a node that waits for a manager."""
    started: RunningNode = start_node({'autostart': False})
    started.wait_for_log('waiting for a lifecycle manager')
    return started


@pytest.fixture
def manager(node: RunningNode, person: Person) -> Person:
    """Return who manages it."""
    assert node.process.poll() is None
    return person.wait_until_ready()


def answers(person: Person) -> list[tuple[bool, str]]:
    """Return what every service and the action say, short of doing much."""
    responses = [
        person.add('cat', timeout_s=0.01),
        person.remove('cat'),
        person.list_samples(),
        person.relabel('cow', label='cat'),
        person.load_model(0),
        person.trigger('undo'),
        person.trigger('redo'),
        person.trigger('reembed_samples'),
        person.train()[1],
    ]
    return [(response.success, response.message) for response in responses]


def make_it_serve(person: Person, camera: Camera) -> None:
    person.teach(camera, IMAGES)
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message


def cameras_listened_to(person: Person, topic: str = '/image') -> int:
    return len(person.node.get_subscriptions_info_by_topic(topic))


def samples_in_file_alone(database: Path, copy: Path) -> int:
    """Return the number of samples in a database without its -wal; 0 while it is written."""
    shutil.copy(database, copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        try:
            return int(connection.execute('SELECT COUNT(*) FROM samples').fetchone()[0])
        except sqlite3.DatabaseError:
            return 0


def test_all_the_way_there_and_back_and_there_again(
    node: RunningNode, manager: Person, tmp_path: Path
) -> None:
    statuses = manager.collect(Status, 'status', LATCHED)
    for state, what in (
        ('unconfigured', 'configure and activate it first'),
        ('inactive', 'activate it first (ros2 lifecycle set /edgetpu_retrain activate)'),
    ):
        assert manager.state == state
        for success, message in answers(manager):
            assert not success
            assert f'The node is {state}: {what}' in message
        assert manager.change_state('configure' if state == 'unconfigured' else 'activate')
    assert manager.state == 'active'
    camera = manager.camera()
    make_it_serve(manager, camera)
    manager.classifications.next_one()

    assert manager.add('dog', timeout_s=PATIENCE_S).success
    assert manager.change_state('deactivate')
    assert manager.state == 'inactive'
    wait_until(lambda: cameras_listened_to(manager) == 0)
    database, copy = tmp_path / 'data' / 'samples.db', tmp_path / 'copy.db'
    wait_until(lambda: samples_in_file_alone(database, copy) == 13)
    assert all('The node is inactive' in message for _, message in answers(manager))
    assert manager.change_state('activate')
    camera.show(IMAGES['dog'])
    manager.classifications.next_one()

    assert manager.change_state('deactivate')
    assert manager.change_state('cleanup')
    assert manager.state == 'unconfigured'
    # Its data folder is anybody's now.
    Ownership(tmp_path / 'data').release()
    assert manager.change_state('configure')
    assert manager.change_state('activate')
    node.wait_for_log('model version 1 serves')
    assert list(manager.list_samples().counts) == [6, 7]
    manager.classifications.next_one()

    assert manager.change_state('shutdown')
    assert manager.state == 'finalized'
    assert 'The node is finalized: start it again' in manager.list_samples().message
    told: list[str] = []
    statuses.wait_for(lambda status: status.state == 'finalized')
    for status in statuses:
        if not told or told[-1] != status.state:
            told.append(status.state)
    assert ' '.join(told) == (
        'unconfigured inactive active inactive active inactive unconfigured inactive active '
        'finalized'
    )


def test_a_transition_that_is_not_possible_is_refused_and_harmless(
    node: RunningNode, manager: Person
) -> None:
    # The ids are what ros2 lifecycle and nav2 send, and they take another way through rclpy.
    ids = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE, 77
    for transition in (*ids, 'activate', 'deactivate', 'cleanup', 'no such thing'):
        assert not manager.change_state(transition)
        assert manager.state == 'unconfigured'
    assert manager.change_state('configure')
    assert node.process.poll() is None


def test_pending_requests_fail_when_it_is_deactivated(manager: Person) -> None:
    assert manager.change_state('configure')
    assert manager.change_state('activate')
    camera = manager.camera()
    make_it_serve(manager, camera)
    goal = manager.start_training(num_iter=ENDLESS, print_every=1)
    goal.feedback.next_one()
    camera.show(None)
    waiting = manager.add_later('cat', count=1000, timeout_s=600.0)
    assert manager.list_samples().success, 'so the request before it has arrived'
    assert manager.change_state('deactivate')
    status, result = goal.wait()
    assert status == GoalStatus.STATUS_ABORTED
    assert 'The node was deactivated' in result.message
    answer = wait_for_response(waiting)
    assert not answer.success
    assert 'the node was deactivated before it was done' in answer.message


def test_what_cannot_be_configured_can_be_put_right(
    start_node: Any, person: Person, small_extractor: Path
) -> None:
    node: RunningNode = start_node({'autostart': False, 'extractor': '/no/such/file'})
    person.wait_until_ready()
    assert not person.change_state('configure')
    line = node.wait_for_log("there is no model file '/no/such/file'")
    assert '[ERROR]' in line
    assert person.state == 'unconfigured'
    status = person.collect(Status, 'status', LATCHED).wait_for(lambda _: True)
    assert '/no/such/file' in status.problems[0]
    changed = person.set_parameter('extractor', str(small_extractor))
    assert changed.successful, changed.reason
    assert person.change_state('configure')
    assert person.change_state('activate')
    assert person.list_samples().success
    late = person.set_parameter('extractor', '/another')
    assert not late.successful
    assert 'extractor: Read when the node is configured' in late.reason
    wrong = person.set_parameter('store_images', 'some')
    assert wrong.reason == (
        "parameter store_images is 'some': set it to none or thumbnail or full."
    )


def test_a_camera_that_cannot_be_subscribed_to_leaves_it_inactive(
    start_node: Any, person: Person
) -> None:
    wrong = {'qos_overrides./image.subscription.reliability': 'often'}
    node: RunningNode = start_node({'autostart': False, **wrong})
    person.wait_until_ready()
    assert person.change_state('configure')
    assert not person.change_state('activate')
    node.wait_for_log("camera 'camera' cannot subscribe to 'image'")
    assert person.state == 'inactive'
    assert person.change_state('cleanup')


def test_cameras_can_be_switched_off_and_on(start_node: Any, person: Person) -> None:
    topics = {'l.image_topic': '/l', 'r.image_topic': 'r', 'r.detections_topic': '/boxes'}
    start_node({'cameras': '[l, r]', **topics}, ['-r', 'r:=/right'])
    person.wait_until_ready()
    wait_until(lambda: cameras_listened_to(person, '/boxes') == 1)
    assert person.add('cat', camera='r', timeout_s=0.01).message.startswith('Time is up')
    statuses = person.collect(Status, 'status', LATCHED)
    assert person.set_parameter('r.active', False).successful
    statuses.wait_for(lambda status: list(status.cameras) == ['l'])
    assert 'not listen to camera r: set r.active to true' in person.add('cat', camera='r').message
    wait_until(lambda: cameras_listened_to(person, '/right') == 0)
    wait_until(lambda: cameras_listened_to(person, '/boxes') == 0)
    assert person.set_parameter('r.active', True).successful
    last = statuses.wait_for(lambda status: list(status.cameras) == ['l', 'r'])
    assert list(last.camera_topics) == ['/l', '/right']


def test_a_camera_that_cannot_be_switched_on_is_a_problem_until_it_is_off(
    start_node: Any, person: Person
) -> None:
    cameras = {'cameras': '[r, s]', 'r.image_topic': '/r', 'r.active': False}
    wrong = {'qos_overrides./r.subscription.reliability': 'often'}
    start_node({**cameras, 's.image_topic': '/s', 's.active': False, **wrong})
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    assert person.set_parameter('r.active', True).successful
    status = statuses.wait_for(lambda each: len(each.problems) == 1)
    assert "camera 'r' cannot subscribe to" in status.problems[0]
    # The parameters of other cameras still take effect.
    assert person.set_parameter('s.active', True).successful
    statuses.wait_for(lambda each: list(each.cameras) == ['s'])
    assert person.set_parameter('r.active', False).successful
    statuses.wait_for(lambda each: not each.problems)
    assert person.list_samples().success


def test_a_second_node_on_the_same_folder_starts_when_the_first_has_ended(
    start_node: Any, person: Person
) -> None:
    first: RunningNode = start_node({}, ['-r', '__ns:=/first']).wait_until_ready()
    second: RunningNode = start_node()
    words = f'is in use by another node (process {first.process.pid})'
    assert '[ERROR]' in second.wait_for_log(words)
    second.wait_for_log('trying again every 5 s')
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    status = statuses.wait_for(lambda each: each.problems)
    assert status.state == 'unconfigured'
    assert words in status.problems[0]
    assert 'set data_dir to another folder' in status.problems[0]
    assert words in person.list_samples().message
    # A third one takes its place, so the second has tried again.
    first.end()
    third: RunningNode = start_node({}, ['-r', '__ns:=/third'])
    statuses.wait_for(
        lambda each: (
            each.state == 'active' or f'process {third.process.pid}' in ' '.join(each.problems)
        )
    )
    third.end()
    statuses.wait_for(lambda each: each.state == 'active' and not each.problems)
    assert person.list_samples().success
    # Its tries are not logged, except for one in which the third took the free folder just before.
    errors = [line for line in second.log if '[ERROR]' in line]
    assert sum(words in line for line in errors) == 1
    assert len(errors) <= 2


def test_a_node_that_waits_for_its_folder_can_be_given_another(
    start_node: Any, person: Person, tmp_path: Path
) -> None:
    start_node({}, ['-r', '__ns:=/first']).wait_until_ready()
    second: RunningNode = start_node()
    second.wait_for_log('trying again every 5 s')
    person.wait_until_ready()
    assert person.set_parameter('data_dir', str(tmp_path / 'another')).successful
    assert person.change_state('configure')
    assert person.change_state('activate')
    assert person.list_samples().success
    second.wait_until_ready()
    assert second.end() == 0
