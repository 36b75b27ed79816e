# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What is seen of a bug of the node's own, and that the node goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain_interfaces.action import Train
from edgetpu_retrain_interfaces.msg import Status
import pytest
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import PATIENCE_S, Person, RunningNode, TAUGHT

LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
PROBLEM = 'Internal error, see the log of the node: "ZeroDivisionError(\'a bug\')".'
BUGGY = (str(Path(__file__).with_name('node_with_a_bug.py')),)


def start(start_node: Any, module: str, method: str, **variables: str) -> RunningNode:
    """Start a node with a bug in a method."""
    environment = {'BUG': f'edgetpu_retrain.node.{module} {method}', **variables}
    node: RunningNode = start_node(program=BUGGY, environment=environment)
    return node


@pytest.mark.usefixtures('taught_data')
def test_a_bug_in_a_training_aborts_it_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node = start(start_node, 'models.model_versions', 'ModelVersions add')
    person.wait_until_ready()
    status, result = person.train()
    assert status == GoalStatus.STATUS_ABORTED
    assert not result.success
    assert 'Internal error, see the log of the node: "ZeroDivisionError' in result.message
    node.wait_for_log("raise ZeroDivisionError('a bug')")
    assert list(person.list_samples().counts) == [TAUGHT, TAUGHT]


@pytest.mark.usefixtures('taught_data')
def test_a_bug_in_a_service_is_in_its_response_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node = start(start_node, 'models.model_versions', 'ModelVersions load')
    person.wait_until_ready()
    refused = person.load_model(1)
    assert not refused.success
    assert refused.message.startswith('Internal error, see the log of the node: "ZeroDivision')
    # What serves is told all the same.
    assert refused.model_version == 2
    node.wait_for_log("raise ZeroDivisionError('a bug')")
    assert list(person.list_samples().counts) == [TAUGHT, TAUGHT]


def test_a_bug_in_a_timer_is_logged_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node = start(start_node, 'retrain_node', 'RetrainNode _watch')
    person.wait_until_ready()
    for _ in range(2):
        node.wait_for_log("raise ZeroDivisionError('a bug')", since=len(node.log))
    assert person.list_samples().success


def test_a_bug_in_a_check_is_reported_once_and_the_other_checks_continue(
    start_node: Any, person: Person
) -> None:
    node = start(start_node, 'cameras.delivery_watch', 'DeliveryWatch check')
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    statuses.wait_for(lambda status: list(status.problems) == [PROBLEM])
    diagnostics = person.collect(DiagnosticArray, '/diagnostics')
    for _ in range(2):
        # The devices are checked after the cameras.
        diagnostics.wait_for(
            lambda each: any(status.name.endswith('device auto') for status in each.status),
            since=len(diagnostics),
        )
    assert sum("raise ZeroDivisionError('a bug')" in line for line in node.log) == 1
    assert person.set_parameter('camera.active', False).successful
    statuses.wait_for(lambda status: not status.problems, since=len(statuses) - 1)


def test_a_bug_after_a_change_of_parameters_is_reported_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    start(start_node, 'retrain_node', 'RetrainNode _reread_parameters')
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    assert person.set_parameter('seed', 3).successful
    statuses.wait_for(lambda status: list(status.problems) == [PROBLEM])
    assert person.list_samples().success


def test_a_bug_in_the_acceptance_of_a_goal_is_logged_and_the_node_continues(
    start_node: Any, person: Person
) -> None:
    node = start(start_node, 'models.training_action', 'TrainingAction _accept')
    client = ActionClient(person.wait_until_ready().node, Train, '/edgetpu_retrain/train')
    assert client.wait_for_server(PATIENCE_S)
    client.send_goal_async(Train.Goal())
    node.wait_for_log("raise ZeroDivisionError('a bug')")
    assert person.list_samples().success
    client.destroy()


def test_a_bug_in_a_transition_fails_it_with_its_place(start_node: Any, person: Person) -> None:
    node = start(start_node, 'retrain_node', 'RetrainNode _deactivate')
    person.wait_until_ready()
    assert not person.change_state('deactivate')
    node.wait_for_log("raise ZeroDivisionError('a bug')")
    assert person.state == 'finalized'


def test_a_bug_before_the_node_is_there_ends_it_with_its_place(start_node: Any) -> None:
    node = start(start_node, 'retrain_node', 'RetrainNode start')
    assert node.wait() == 1
    assert node.log[-1] == 'ZeroDivisionError: a bug'


@pytest.mark.parametrize('method', ['_configure', '_update_cameras'])
def test_what_fails_in_a_start_because_ros_has_ended_is_no_bug(
    start_node: Any, method: str
) -> None:
    node = start(start_node, 'retrain_node', f'RetrainNode {method}', ROS_HAS_ENDED='1')
    assert node.wait() == 0
    assert not any('a bug' in line for line in node.log)
