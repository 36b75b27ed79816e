# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An Edge TPU that fails in the middle of a capture, a training or a swap."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain_interfaces.msg import Result
import pytest
from support.robot_messages import first_since
from support.running_node import (
    Camera,
    Collected,
    PATIENCE_S,
    Person,
    RunningNode,
    TAUGHT_IMAGES,
    wait_for_response,
)
from support.waiting import wait_until

FAILURES = pytest.mark.parametrize(
    ('behaviour', 'words'), [('raise', 'The Edge TPU failed'), ('hang', 'The Edge TPU hangs')]
)
TAUGHT = 6
COUNT = 100
# Some seconds: the training is still running when the device fails, and takes minutes on a busy
# machine.
LONG = {'num_iter': 20_000, 'print_every': 1000}
TRAINING_S = 10 * PATIENCE_S


def train(person: Person) -> None:
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message


def make_it_serve(person: Person) -> Camera:
    camera = person.wait_until_ready().camera()
    person.teach(camera, TAUGHT_IMAGES, TAUGHT)
    train(person)
    return camera


def check_serves_again(
    node: RunningNode, tell: Callable[[str], None], results: Collected[Any], version: int
) -> None:
    """Repair the device, and wait until it classifies frames."""
    tell('')
    node.wait_for_log('The Edge TPU serves again')
    assert first_since(results, time.time_ns()).model_version == version
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)


@FAILURES
@pytest.mark.parametrize('fallback', [True, False])
def test_a_capture_survives_a_device_failure(
    start_edgetpu: Any,
    tell: Callable[[str], None],
    person: Person,
    behaviour: str,
    words: str,
    fallback: bool,
) -> None:
    node = start_edgetpu(fallback=fallback)
    camera = make_it_serve(person)
    results = person.collect(Result, 'result')
    before = 2 * TAUGHT
    asked = person.add_later('cat', count=COUNT, timeout_s=PATIENCE_S)
    wait_until(lambda: person.list_samples().total > before)
    # The failure comes before the request is done, on any machine.
    camera.period_s = 1.0
    tell(behaviour)
    node.wait_for_log(words)
    assert not asked.done()
    camera.period_s = 0.04
    if not fallback:
        # The request waits for the device.
        check_serves_again(node, tell, results, 1)
    response = wait_for_response(asked)
    assert response.success, response.message
    assert (response.added, response.label_total) == (COUNT, TAUGHT + COUNT)


@FAILURES
def test_a_training_survives_a_device_failure(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person, behaviour: str, words: str
) -> None:
    node = start_edgetpu()
    make_it_serve(person)
    results = person.collect(Result, 'result')
    goal = person.start_training(**LONG)
    goal.feedback.next_one()
    tell(behaviour)
    node.wait_for_log(words)
    assert not goal.is_done
    status, result = goal.wait(TRAINING_S)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    assert result.model_version == 2
    assert first_since(results, time.time_ns()).model_version == 2
    if behaviour == 'raise':
        # Whether one that hangs is back is looked at every half a minute.
        check_serves_again(node, tell, results, 2)


@pytest.mark.parametrize('behaviour', ['raise', 'hang'])
def test_a_swap_survives_a_device_failure(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person, behaviour: str
) -> None:
    node = start_edgetpu()
    make_it_serve(person)
    train(person)
    results = person.collect(Result, 'result')
    results.next_one()
    # Frames and the new model, which is tried before it serves, are on the device at once.
    tell(behaviour)
    response = person.load_model(1)
    assert response.success, response.message
    assert response.model_version == 1
    node.wait_for_log('meanwhile fallback_extractor serves on the CPU')
    assert first_since(results, time.time_ns()).model_version == 1
    if behaviour == 'raise':
        # Whether one that hangs is back is looked at every half a minute.
        check_serves_again(node, tell, results, 1)


def test_without_a_fallback_training_and_swap_do_not_wait_for_the_device(
    start_edgetpu: Any, tell: Callable[[str], None], person: Person
) -> None:
    node = start_edgetpu(fallback=False)
    make_it_serve(person)
    results = person.collect(Result, 'result')
    goal = person.start_training(**LONG)
    goal.feedback.next_one()
    tell('raise')
    node.wait_for_log('The Edge TPU failed')
    assert not goal.is_done
    status, result = goal.wait(TRAINING_S)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    assert person.load_model(1).model_version == 1
    assert person.load_model(2).model_version == 2
    check_serves_again(node, tell, results, 2)
