# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""~/train over DDS."""

from __future__ import annotations

from concurrent.futures import CancelledError
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.models import training_action
from edgetpu_retrain.node.models.training_goal import MAX_GOALS
from edgetpu_retrain.node.requests.responses import DEACTIVATED
from edgetpu_retrain.wording import sentence
from edgetpu_retrain_interfaces.action import Train
import pytest
import rclpy
from rclpy.action import CancelResponse, GoalResponse
from support.lone_node import LoneNode
from support.running_node import Camera, image_message, pattern, Person

pytestmark = pytest.mark.usefixtures('measured_processes')

PICTURES = {'cat': image_message(pattern(1)), 'dog': image_message(pattern(2))}
# Longer than any test waits: it ends because it is cancelled.
ENDLESS = 1_000_000


@pytest.fixture
def camera(start_node: Any, person: Person) -> Camera:
    """Return the camera of a robot that knows cat and dog, not yet trained."""
    start_node()
    person.wait_until_ready()
    camera = person.camera()
    person.teach(camera, PICTURES)
    return camera


@pytest.fixture
def trained(camera: Camera, person: Person) -> Camera:
    """Return the camera of a robot that was trained once."""
    status, result = person.train(num_iter=200, learning_rate=0.1, print_every=50)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    return camera


def test_a_goal_ends_with_a_model_that_serves(
    camera: Camera, person: Person, tmp_path: Path
) -> None:
    goal = person.start_training(num_iter=40, learning_rate=0.1, print_every=10)
    status, result = goal.wait()
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert result.success, result.message
    # The heads that are measured, and the one that serves.
    runs, rest = divmod(goal.feedback[0].num_iter, 40)
    assert (runs >= 2, rest) == (True, 0)
    told = [each.iteration for each in goal.feedback]
    expected = [40 * run + each for run in range(runs) for each in (1, 11, 21, 31)]
    # Feedback is a topic: a subscriber that is slower than the training loses some.
    assert told == [each for each in expected if each in set(told)]
    goal.feedback.wait_for(lambda _: len(goal.feedback) > 2)
    for feedback in goal.feedback:
        assert feedback.num_iter == 40 * runs
        assert math.isfinite(feedback.loss)
        assert 0.0 <= feedback.train_accuracy <= 1.0
        assert 0.0 <= feedback.validation_accuracy <= 1.0
    assert Path(result.model_path).is_file()
    assert Path(result.model_path).is_relative_to(tmp_path / 'data')
    assert result.model_version == 1
    assert list(result.labels) == ['cat', 'dog']
    assert result.validation_accuracy == result.quantized_validation_accuracy == 1.0
    right, of_dog, of_cat, right_too = result.confusion_matrix
    assert (of_dog, of_cat) == (0, 0)
    assert right == right_too >= 1
    for words in (
        f'in {40 * runs} iterations, {40 * (runs - 1)} of them to measure the accuracy',
        f'It took {result.seconds:.1f} s.',
        *('2 classes', 'No mistake', 'version 1', result.model_path),
    ):
        assert words in result.message
    camera.show(PICTURES['cat'])
    person.classifications.wait_for(lambda message: message.results[0].class_id == 'cat')
    camera.show(PICTURES['dog'])
    person.classifications.wait_for(lambda message: message.results[0].class_id == 'dog')


def test_services_respond_during_a_training(camera: Camera, person: Person) -> None:
    goal = person.start_training(num_iter=ENDLESS, print_every=20)
    goal.feedback.next_one()
    camera.show(PICTURES['cat'])
    listed, added = person.list_samples(), person.add('cat', count=2)
    assert list(listed.counts) == [6, 6]
    assert added.success, added.message
    assert added.label_total == 8
    goal.feedback.next_one()
    goal.cancel()
    assert goal.wait()[0] == GoalStatus.STATUS_CANCELED


def test_a_cancelled_training_leaves_the_previous_model_publishing(
    trained: Camera, person: Person, tmp_path: Path
) -> None:
    person.teach(trained, {'bird': image_message(pattern(3))})
    # The model that serves knows no bird.
    trained.show(PICTURES['cat'])
    person.classifications.wait_for(lambda each: each.results[0].class_id == 'cat')
    goal = person.start_training(num_iter=ENDLESS, print_every=20)
    goal.feedback.next_one()
    assert person.classifications.next_one().results
    goal.cancel()
    status, result = goal.wait()
    assert status == GoalStatus.STATUS_CANCELED
    assert not result.success
    assert 'was cancelled after iteration' in result.message
    assert result.message.endswith('The model that was serving goes on.')
    assert result.seconds > 0.0
    assert result.model_path == ''
    after = person.classifications.next_one()
    assert {each.class_id for each in after.results} == {'cat', 'dog'}
    assert len(list((tmp_path / 'data' / 'models').glob('*.tflite'))) == 1


def test_the_next_training_is_swapped_in_between_two_frames(
    trained: Camera, person: Person
) -> None:
    person.teach(trained, {'bird': image_message(pattern(3))})
    # The model that serves knows no bird.
    trained.show(PICTURES['cat'])
    person.classifications.wait_for(lambda each: each.results[0].class_id == 'cat')
    before = person.classifications.next_one()
    assert len(before.results) == 2
    status, result = person.train(num_iter=200, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert result.model_version == 2
    assert list(result.labels) == ['cat', 'dog', 'bird']
    # It serves when the goal says so: every frame sent from now on is answered by the new one.
    now = trained.stamps.next_one()
    answer = person.classifications.wait_for(
        lambda message: message.header.stamp.sec * 10**9 + message.header.stamp.nanosec >= now
    )
    assert {each.class_id for each in answer.results} == {'cat', 'dog', 'bird'}
    trained.show(image_message(pattern(3)))
    person.classifications.wait_for(lambda each: each.results[0].class_id == 'bird')


@pytest.mark.usefixtures('camera')
def test_a_goal_while_one_runs_is_aborted_with_a_message(person: Person) -> None:
    first = person.start_training(num_iter=ENDLESS, print_every=20)
    first.feedback.next_one()
    status, result = person.train(num_iter=10)
    assert status == GoalStatus.STATUS_ABORTED
    assert not result.success
    assert 'A training is running and only one can' in result.message
    first.feedback.next_one()
    first.cancel()
    assert first.wait()[0] == GoalStatus.STATUS_CANCELED
    assert person.train(num_iter=10)[0] == GoalStatus.STATUS_SUCCEEDED


BAD_GOALS: list[tuple[dict[str, Any], str]] = [
    ({'num_iter': 1_000_001}, 'num_iter is 1000001; it must be 1 to 1000000'),
    ({'batch_size': 100_001}, 'batch_size is 100001; it must be 1 to 100000'),
    ({'learning_rate': -0.1}, 'learning_rate is -0.1'),
    ({'learning_rate': math.nan}, 'learning_rate is nan'),
    ({'reg': -1.0}, 'reg is -1.0'),
    ({'weight_scale': math.inf}, 'weight_scale is inf'),
    ({'validation_fraction': 0.0}, 'validation_fraction is 0.0'),
    ({'validation_fraction': 1.0}, 'validation_fraction is 1.0'),
    ({'seed': -2}, "seed is -2; it must be 0 or more, or -1 for the node's parameter"),
]


def test_bad_goals_are_aborted_with_a_message(start_node: Any, person: Person) -> None:
    start_node()
    person.wait_until_ready()
    for fields, words in BAD_GOALS:
        status, result = person.train(**fields)
        assert status == GoalStatus.STATUS_ABORTED
        assert not result.success
        assert words in result.message
        assert result.model_version == 0


def test_too_few_samples_are_reported(start_node: Any, person: Person) -> None:
    start_node()
    person.wait_until_ready()
    status, result = person.train()
    assert status == GoalStatus.STATUS_ABORTED
    assert 'no class was taught' in result.message
    camera = person.camera()
    person.teach(camera, {'cat': PICTURES['cat']}, count=3)
    assert "only 'cat' was taught" in person.train()[1].message
    person.teach(camera, {'dog': PICTURES['dog']}, count=1)
    result = person.train()[1]
    assert result.success
    assert 'Uneven' not in result.message  # 3 is not more than three times 1


@pytest.mark.usefixtures('camera')
def test_the_seed_of_the_node_stands_in_for_minus_1(person: Person) -> None:
    def model(seed: int) -> bytes:
        result = person.train(seed=seed, num_iter=5)[1]
        return Path(result.model_path).read_bytes()

    assert model(-1) == model(0)
    assert model(0) != model(7)


def test_a_goal_that_was_cancelled_before_it_began_does_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training_action, 'training_options', lambda *_: None)
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('training', context=context)
    parts: Any = SimpleNamespace(parameters=None)
    action = training_action.TrainingAction(node, lambda: parts, lambda **_: None)
    ended: list[str] = []
    goal = SimpleNamespace(
        goal_id=SimpleNamespace(uuid=[7] * 16),
        request=Train.Goal(),
        is_cancel_requested=True,
        canceled=lambda: ended.append('cancelled'),
    )
    assert action._cancel(goal) == CancelResponse.ACCEPT
    with pytest.raises(StopIteration) as done:
        action._execute(goal).send(None)
    assert ended == ['cancelled']
    assert 'was cancelled before it began' in done.value.value.message
    action.close()
    node.destroy_node()
    rclpy.try_shutdown(context=context)


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (CancelledError(), sentence(DEACTIVATED)),
        (RequestError('a class is missing'), 'a class is missing.'),
        (FileNotFoundError('no such file'), 'no such file.'),
    ],
)
def test_a_training_that_fails_is_answered_and_logged_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: Exception,
    message: str,
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(training_action, 'training_options', lambda *_: None)
    monkeypatch.setattr(training_action, 'train_model', fail)
    robot = LoneNode('training')
    parts: Any = SimpleNamespace(
        parameters=None,
        store=None,
        extractor=b'',
        versions=None,
        workers=SimpleNamespace(wait_until_idle=None),
    )
    action = training_action.TrainingAction(robot.node, lambda: parts, lambda **_: None)
    goal = SimpleNamespace(
        goal_id=SimpleNamespace(uuid=[7] * 16),
        request=Train.Goal(),
        is_cancel_requested=False,
        abort=lambda: None,
    )
    result = robot.run(action._execute, goal)
    assert not result.success
    assert result.message == message
    action.close()
    robot.close()
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(f'no training: {message}')


def test_too_many_goals_are_rejected_and_logged_once(capfd: pytest.CaptureFixture[str]) -> None:
    robot = LoneNode('training')
    parts: Any = SimpleNamespace()
    action = training_action.TrainingAction(robot.node, lambda: parts, lambda **_: None)
    accepted = [action._accept(None) for _ in range(MAX_GOALS + 3)]
    assert accepted[-4:] == [GoalResponse.ACCEPT] + [GoalResponse.REJECT] * 3
    assert capfd.readouterr().err.count('find out which program sends them') == 1
    # As soon as the first result is dropped, there is room for another.
    action._accepted[0] -= training_action._KEEP_RESULT_S
    accepted = [action._accept(None) for _ in range(2)]
    assert accepted == [GoalResponse.ACCEPT, GoalResponse.REJECT]
    action.close()
    robot.close()
