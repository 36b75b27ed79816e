# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of a running node."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain import parameter
from edgetpu_retrain.node.parameters import declaration
from edgetpu_retrain.node.parameters.declaration import DeclaredParameters
from edgetpu_retrain.node.requests.responses import MAX_LOGGED_PER_SECOND
import pytest
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rclpy.parameter import Parameter
from support.lone_node import LoneNode
from support.running_node import image_message, pattern, Person

pytestmark = pytest.mark.usefixtures('measured_processes')

PICTURES = {label: pattern(seed) for seed, label in enumerate(('cat', 'dog', 'bird'), start=1)}
IMAGES = {label: image_message(picture) for label, picture in PICTURES.items()}


def test_changed_parameters_take_effect_at_once(start_node: Any, person: Person) -> None:
    start_node()
    camera = person.wait_until_ready().camera()
    person.teach_and_train(camera, IMAGES)
    assert person.set_parameter('max_results', 2).successful
    person.classifications.wait_for(lambda message: len(message.results) == 2)
    assert not person.set_parameter('max_results', -1).successful
    assert not person.set_parameter('num_threads', 2).successful
    assert person.set_parameter('num_iter', 7).successful
    goal = person.start_training(print_every=1)
    assert goal.wait()[0] == GoalStatus.STATUS_SUCCEEDED
    assert goal.feedback[-1].num_iter % 7 == 0


def test_every_parameter_is_described(start_node: Any, person: Person) -> None:
    start_node()
    person.wait_until_ready()
    names = person.call(ListParameters, 'list_parameters').result.names
    own = [name for name in names if not name.startswith(('qos_overrides', 'use_sim', 'start_'))]
    described = person.call(DescribeParameters, 'describe_parameters', names=own).descriptors
    assert set(own) == {
        *(
            'autostart',
            'cameras',
            'camera.active',
            'camera.bits',
            'camera.image_topic',
            'camera.roi',
        ),
        *('camera.detections_topic', 'camera.detections_timeout_s', 'camera.max_detections'),
        *('camera.image_transport', 'camera.device', 'extractor', 'device', 'num_threads'),
        *('data_dir', 'fallback_extractor', 'invoke_timeout_s'),
        *('input_range', 'input_size', 'model_output'),
        *('num_iter', 'learning_rate', 'batch_size', 'reg', 'rejection_rate', 'seed'),
        *(
            'sample_timeout_s',
            'min_novelty',
            'store_images',
            'max_questions',
            'keep_models',
            'follow_models',
            'unknown_below',
            'background_label',
        ),
        *('smoothing_frames', 'smoothing_hysteresis', 'max_results'),
    }
    for descriptor in described:
        assert descriptor.description
        assert descriptor.additional_constraints
    numbers = [each for each in described if each.type in (2, 3)]
    assert all(each.integer_range or each.floating_point_range for each in numbers)


def test_its_own_values_are_no_change(start_node: Any, person: Person) -> None:
    node = start_node()
    person.wait_until_ready()
    names = list(person.call(ListParameters, 'list_parameters').result.names)
    values = person.call(GetParameters, 'get_parameters', names=names).values
    parameters = [ParameterMessage(name=n, value=v) for n, v in zip(names, values, strict=True)]
    # Those of rclpy are read-only.
    assert any(name.startswith('qos_overrides.') for name in names)
    for service, name in (
        (SetParameters, 'set_parameters'),
        (SetParametersAtomically, 'set_parameters_atomically'),
    ):
        response = person.call(service, name, parameters=parameters)
        results = response.results if service is SetParameters else [response.result]
        assert [each.reason for each in results if not each.successful] == []
    assert not any('parameter ' in line for line in node.log)
    # One that is equal does not hide one that is not.
    two = [Parameter('num_iter', value=0), Parameter('num_threads', value=2)]
    messages = [each.to_parameter_msg() for each in two]
    assert not person.call(service, name, parameters=messages).result.successful


def test_a_timeout_of_0_means_that_of_the_node(start_node: Any, person: Person) -> None:
    start_node({'sample_timeout_s': 0.25})
    assert 'Time is up after 0.25 s' in person.wait_until_ready().add('cat', timeout_s=0.0).message


@pytest.mark.parametrize('topic', ['a b', '/a/', 'a//b', '1a', '{nobody}', '/' + 'a' * 300, ''])
def test_a_name_that_no_topic_can_have_is_refused(topic: str) -> None:
    lone = LoneNode('checked')
    DeclaredParameters(lone.node, lambda: False).configure()
    for name, default in (('image_topic', 'image'), ('detections_topic', '')):
        full_name = f'camera.{name}'
        assert lone.node.set_parameters([Parameter(full_name, value='~/own')])[0].successful
        (result,) = lone.node.set_parameters([Parameter(full_name, value=topic)])
        assert result.successful == (topic == default)
        if topic != default:
            assert f'parameter {full_name} is ' in result.reason
            assert 'set it to the name of a topic (failed to resolve name: ' in result.reason
            assert ' at /' not in result.reason
            assert lone.node.get_parameter(full_name).value == '~/own'
    lone.close()


def test_a_rejected_change_is_logged_with_its_reason(start_node: Any, person: Person) -> None:
    node = start_node()
    person.wait_until_ready()
    for name, value, reason in (
        ('num_threads', 2, 'num_threads: Read when the node is configured'),
        ('cameras', ['attic', 'attic'], 'cameras'),
        ('unknown_below', 1.5, 'unknown_below'),
        ('unknown_below', 'high', 'Wrong parameter type'),
        ('wings', 2, 'undeclared parameter'),
        ('two\nlines', 2, 'undeclared parameter'),
    ):
        before = len(node.log)
        result = person.set_parameter(name, value)
        assert not result.successful
        assert reason in result.reason
        line = node.wait_for_log(f'request refused: {name!r} not set: ', since=before)
        assert '[WARN]' in line
        assert reason in line.partition(' not set: ')[2]
    two = [Parameter('num_iter', value=3), Parameter('seed', value=-1)]
    messages = [each.to_parameter_msg() for each in two]
    atomically = 'set_parameters_atomically'
    result = person.call(SetParametersAtomically, atomically, parameters=messages).result
    assert not result.successful
    assert result.reason in node.wait_for_log("request refused: 'num_iter', 'seed' not set: ")
    assert person.set_parameter('num_iter', 3).successful
    node.wait_for_log('parameter num_iter set to 3')
    assert len([line for line in node.log if 'request refused' in line]) == 7


def test_a_flood_of_rejected_changes_does_not_flood_the_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(declaration, 'time', SimpleNamespace(monotonic=lambda: 7.0))
    lone = LoneNode('checked')
    DeclaredParameters(lone.node, lambda: True)
    for _ in range(3 * MAX_LOGGED_PER_SECOND):
        rejected = lone.node.set_parameters_atomically([Parameter('num_threads', value=2)])
        assert not rejected.successful
    lone.close()
    logged = capfd.readouterr().err.count("request refused: 'num_threads' not set: ")
    assert logged == MAX_LOGGED_PER_SECOND


def test_a_bug_in_a_check_rejects_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    lone = LoneNode('checked')
    DeclaredParameters(lone.node, lambda: True)
    monkeypatch.setattr(parameter.Parameter, 'check', lambda *_: 1 // 0)
    (result,) = lone.node.set_parameters([Parameter('seed', value=3)])
    lone.close()
    assert not result.successful
    assert 'Internal error, see the log of the node: "ZeroDivisionError(' in result.reason
