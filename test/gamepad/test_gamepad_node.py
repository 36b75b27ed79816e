# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program gamepad and a retrain node as child processes; the gamepad's messages are real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import time
from typing import Any
from unittest.mock import Mock

from edgetpu_retrain.client import RetrainClient, RetrainClientError
from edgetpu_retrain.gamepad.buttons import Action, Kind
from edgetpu_retrain.gamepad.feedback import FAILED, Feedback
from edgetpu_retrain.gamepad.teacher import Teacher
from edgetpu_retrain_interfaces.srv import AddSample
import pytest
from sensor_msgs.msg import JoyFeedback
from support.gamepad import Pad, start_gamepad
from support.running_node import (
    image_message,
    pattern,
    Person,
    RunningNode,
)
from support.small_models import build_extractor
from support.waiting import wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

# A busy machine may delay the messages of a gamepad for longer than the default.
LONG_SILENCE = 'silence_s:=60'


@pytest.fixture
def person(tmp_path: Path, package_path: str) -> Iterator[Person]:
    """Return a person at a retrain node with a small extractor, which keeps near copies."""
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    parameters = {
        'extractor': extractor,
        'data_dir': tmp_path / 'data',
        'device': 'cpu',
        'min_novelty': -1.0,
    }
    with RunningNode(package_path, parameters) as node, Person() as person:
        node.wait_until_ready()
        yield person.wait_until_ready()


def counts(person: Person) -> dict[str, int]:
    response = person.list_samples()
    return dict(zip(response.labels, response.counts, strict=True))


def test_two_classes_are_taught_and_trained_and_a_mistake_is_undone(
    person: Person, package_path: str
) -> None:
    camera = person.camera()
    parameters = ('labels:=[a, b]', LONG_SILENCE)
    with start_gamepad(package_path, *parameters) as program, Pad(person) as pad:
        program.wait_for_log('hold a button of /joy to teach /edgetpu_retrain (0: a, 1: b)')
        for button, label in enumerate('ab'):
            person.show(camera, image_message(pattern(button)))
            pad.hold(button)
            wait_until(lambda label=label: counts(person).get(label, 0) >= 5)  # type: ignore[misc]
            pad.hold()
            program.wait_for_log(f"'{label}': ")
        recordings = {each.recording for each in person.list_samples(limit=1000).samples}
        assert len(recordings) == 2, 'one for each time that a button was held'
        pad.hold(7)
        program.wait_for_log('training')
        person.classifications.wait_for(lambda each: each.results[0].class_id == 'b')
        before = sum(counts(person).values())
        pad.hold(6)
        wait_until(lambda: sum(counts(person).values()) < before)
        assert program.end() == 0
    assert {each.type for each in pad.feedback} == {JoyFeedback.TYPE_LED, JoyFeedback.TYPE_RUMBLE}
    assert 'Traceback' not in '\n'.join(program.log)


def test_a_gamepad_that_vanishes_ends_the_capture(person: Person, package_path: str) -> None:
    camera = person.camera()
    person.show(camera, image_message(pattern(0)))
    with start_gamepad(package_path, 'labels:=a', 'silence_s:=3') as program, Pad(person) as pad:
        pad.hold(0)
        wait_until(lambda: counts(person).get('a', 0) >= 2)
        pad.vanish()
        program.wait_for_log('no message on joy for 3 s: the capture ends')
        program.wait_for_log("'a': ")
        stored = counts(person)
        # The node has seen another image when this returns.
        person.show(camera, image_message(pattern(1)))
        assert counts(person) == stored


def test_what_the_node_rejects_is_reported_and_felt(person: Person, package_path: str) -> None:
    parameters = ('labels:=a', 'camera:=arm', LONG_SILENCE)
    with start_gamepad(package_path, *parameters) as program, Pad(person) as pad:
        pad.hold(0)
        program.wait_for_log("'arm'")
        pad.feedback.wait_for(lambda each: each.intensity == 1.0 and each.type != 0)
        pad.hold(7)
        program.wait_for_log('sample')
    assert 'Traceback' not in '\n'.join(program.log)


def test_a_rejection_ends_the_capture_however_slow_the_node_is() -> None:
    def rejected(*_: Any, **_fields: Any) -> None:
        time.sleep(0.5)
        raise RetrainClientError('the label is wrong', AddSample.Response())

    robot = Mock(spec=RetrainClient)
    robot.add_samples.side_effect = rejected
    feedback, log = Mock(spec=Feedback), Mock()
    teacher = Teacher(robot, '', feedback, log)
    teacher.do(Action(Kind.CAPTURE, 'cup'))
    try:
        wait_until(lambda: log.error.called)
        log.error.assert_called_once_with('the label is wrong.')
        feedback.rumble.assert_called_once_with(FAILED)
    finally:
        teacher.close()


def test_one_button_needs_no_list_and_minus_one_is_no_button(package_path: str) -> None:
    parameters = ('labels:=cup', 'label_buttons:=3', 'train_button:=-1')
    with start_gamepad(package_path, *parameters) as program:
        assert program.wait_for_log('hold a button').endswith('(3: cup); 6 undoes')
    with start_gamepad(package_path, *parameters, 'undo_button:=-1') as program:
        assert program.wait_for_log('hold a button').endswith('(3: cup)')


@pytest.mark.parametrize(
    ('parameter', 'words'),
    [
        ('undo_button:=6', 'error: labels is empty: name the classes to teach'),
        ('labels:=unknown', 'error: The label'),
        ('train_button:=seven', "error: train_button has 'seven': give numbers of buttons"),
        ('labels:=[]', 'error: labels is empty: name the classes to teach'),
        ('label_buttons:=[]', 'error: labels has 1 class, and label_buttons has 0 buttons'),
        ('label_buttons:=0.5', 'error: label_buttons has 0.5: give numbers of buttons'),
        ('train_button:=[]', 'error: train_button has []: give numbers of buttons'),
        ('camera:=[]', 'error: camera is []: give one value, not a list.'),
        ("retrain_node:=''", "error: the name of the retrain node is '': give the name of a node"),
        ('silence_s:=0', 'error: silence_s is 0: give a number from 0.1 to 60.'),
        ('silence_s:=true', 'error: silence_s is True: give a number from 0.1 to 60.'),
    ],
)
def test_what_is_wrong_is_one_sentence(parameter: str, words: str, package_path: str) -> None:
    labels = () if 'labels is' in words or 'labels' in parameter else ('labels:=a',)
    with start_gamepad(package_path, *labels, parameter) as program:
        assert program.wait() == 2
    assert [line for line in program.log if line.startswith(words)]
    assert 'Traceback' not in '\n'.join(program.log)
