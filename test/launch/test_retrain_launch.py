# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file and the parameter file against the node that they are for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
import os
from pathlib import Path
import re
import signal
import sys
from typing import Any

from edgetpu_retrain.node.parameters.values import camera_parameters, PARAMETERS
from edgetpu_retrain.node.spin import NODE_NAME
from edgetpu_retrain_interfaces.msg import Status
import pytest
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.launch_program import needs_launch, RUN_LAUNCH_FILE
from support.running_node import image_message, pattern, Person, RunningProgram
from support.small_models import build_extractor
import yaml

REPOSITORY = Path(__file__).parents[2]
LAUNCH_FILE = REPOSITORY / 'launch' / 'retrain.launch.py'
PARAMETER_FILE = REPOSITORY / 'config' / 'retrain.yaml'

LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)

DECLARED = {each.name: each.default for each in (*PARAMETERS, *camera_parameters('camera'))}


def flat(values: dict[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f'{prefix}{name}.')
        else:
            yield prefix + name, value


def test_the_parameter_file_has_every_parameter_with_its_default() -> None:
    content = yaml.safe_load(PARAMETER_FILE.read_text())
    assert list(content) == ['/**'], 'for the node in whatever namespace'
    values = dict(flat(content['/**']['ros__parameters']))
    assert values == DECLARED
    # ROS refuses 10 where it wants 10.0.
    assert {name: type(value) for name, value in values.items()} == {
        name: type(default) for name, default in DECLARED.items()
    }


def test_every_parameter_in_the_file_has_a_comment_above_it() -> None:
    lines = PARAMETER_FILE.read_text().split('ros__parameters:\n')[1].splitlines()
    bare = [
        line
        for above, line in zip(['', *lines], lines, strict=False)
        if line.strip() and not line.strip().startswith('#')
        # A camera's parameters begin a block, whose name the comment above 'cameras' explains.
        if not above.strip().startswith('#') and line.strip() != 'camera:'
    ]
    assert bare == []


class Source:
    """What can be read in the launch file without running it."""

    def __init__(self) -> None:
        self.tree = ast.parse(LAUNCH_FILE.read_text())

    def constant(self, name: str) -> Any:
        """Return the value of an assignment at the top."""
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
                return ast.literal_eval(statement.value)
        raise AssertionError(f'{name} is not assigned in {LAUNCH_FILE}')

    def calls(self, function: str) -> list[ast.Call]:
        """Return the calls of a function."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return [node for node in nodes if ast.unparse(node.func) == function]

    def keywords(self, function: str) -> dict[str, str]:
        """Return the keyword arguments of the only call of a function, as source."""
        (call,) = self.calls(function)
        return {str(each.arg): ast.unparse(each.value) for each in call.keywords}


def test_the_launch_arguments_are_those_that_are_documented() -> None:
    source = Source()
    literal = {
        call.args[0].value
        for function in ('DeclareLaunchArgument', '_argument')
        for call in source.calls(function)
        if isinstance(call.args[0], ast.Constant)
    }
    of_node = {
        *source.constant('TEXT_ARGUMENTS'),
        *source.constant('NUMBER_ARGUMENTS'),
        *source.constant('SWITCH_ARGUMENTS'),
    }
    of_camera = set(source.constant('CAMERA_ARGUMENTS'))
    page = (REPOSITORY / 'docs' / 'interface.md').read_text()
    (documented,) = re.findall(r'`ros2 launch` takes the arguments (.*?)\.\s', page, re.DOTALL)
    assert {*literal, *of_node} == set(re.findall(r'`(\w+)`', documented))
    # Those that are passed on are parameters, of these types.
    assert of_node - {'use_sim_time'} <= set(DECLARED)
    assert {type(DECLARED[name]) for name in source.constant('TEXT_ARGUMENTS')} == {str}
    assert {type(DECLARED[name]) for name in source.constant('NUMBER_ARGUMENTS')} == {int}
    assert {f'camera.{each}' for each in of_camera} <= set(DECLARED)


def test_the_launch_file_starts_the_node_that_there_is() -> None:
    source = Source()
    keywords = source.keywords('Node')
    setup = (REPOSITORY / 'setup.py').read_text()
    assert keywords['executable'] == repr(f'{NODE_NAME}_node')
    assert '_node = {NAME}.node.main:main' in setup
    assert keywords['package'] == keywords['name'] == 'PACKAGE'
    assert source.constant('PACKAGE') == NODE_NAME


def write_file(tmp_path: Path, sections: dict[str, dict[str, Any]]) -> Path:
    """Return a parameter file with sections for patterns of node names."""
    file = tmp_path / 'robot.yaml'
    # rcl reads no aliases, which YAML has for the same object.
    content = {key: {'ros__parameters': deepcopy(values)} for key, values in sections.items()}
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


def launch_command(*arguments: str) -> list[str]:
    return [sys.executable, '-c', RUN_LAUNCH_FILE, str(LAUNCH_FILE), *arguments]


def parameters_of(person: Person, names: list[str]) -> list[Any]:
    values = person.call(GetParameters, 'get_parameters', names=names).values
    return [parameter_value_to_python(each) for each in values]


@needs_launch
def test_the_launch_file_runs_with_all_its_arguments(tmp_path: Path, package_path: str) -> None:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    arguments = {
        'namespace': 'robot1',
        'image_topic': '/front/image_raw',
        'image_transport': 'compressed',
        'extractor': extractor,
        'data_dir': tmp_path / 'data',
        'device': 'cpu',
        'max_questions': '7',
        'autostart': 'true',
        'follow_models': 'true',
        'use_sim_time': 'true',
        'log_level': 'info',
        'respawn': 'false',
        'params_file': PARAMETER_FILE,
    }
    given = [f'{name}:={value}' for name, value in arguments.items()]
    with RunningProgram(launch_command(*given), {'PYTHONPATH': package_path}) as launch:
        launch.wait_for_log(f'extractor {extractor} runs on cpu')
        launch.wait_for_log(f'0 samples in {tmp_path / "data"}')
        launch.wait_for_log("camera 'camera' reads /front/image_raw/compressed")
        launch.wait_until_ready()
        with Person('/robot1/edgetpu_retrain') as person:
            assert person.wait_until_ready().list_samples().success
            names = ['follow_models', 'use_sim_time', 'max_questions']
            assert parameters_of(person, names) == [True, True, 7]
        assert launch.end() == 0


@needs_launch
def test_what_is_not_given_comes_from_the_parameter_file(
    tmp_path: Path, package_path: str
) -> None:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    parameters = {
        'cameras': ['rear'],
        'rear': {'image_topic': '/rear/image', 'image_transport': 'compressed'},
        'extractor': str(extractor),
        'data_dir': str(tmp_path / 'data'),
        'device': 'cpu',
        'follow_models': True,
        'autostart': False,
    }
    file = write_file(tmp_path, {'/**': parameters})
    command = launch_command(f'params_file:={file}')
    with RunningProgram(command, {'PYTHONPATH': package_path}) as launch, Person() as person:
        launch.wait_for_log('because autostart is false')
        person.wait_until_ready()
        assert person.change_state('configure')
        assert person.change_state('activate')
        launch.wait_for_log(f'extractor {extractor} runs on cpu')
        launch.wait_for_log("camera 'rear' reads /rear/image/compressed")
        assert parameters_of(person, ['follow_models', 'use_sim_time']) == [True, False]
        assert launch.end() == 0


@needs_launch
@pytest.mark.parametrize(
    'keys', [('/**',), ('/robot1/edgetpu_retrain', '/**'), ('/**', '/robot1/*')]
)
def test_what_is_given_wins_over_the_parameter_file(
    keys: tuple[str, ...], tmp_path: Path, package_path: str
) -> None:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    parameters = {
        'cameras': ['rear'],
        'rear': {'image_topic': '/rear/image', 'image_transport': 'compressed'},
        'extractor': '/no/such/file',
        'data_dir': '/proc/nowhere',
        'device': 'usb',
        'autostart': False,
        'follow_models': True,
        'use_sim_time': True,
        'max_results': 3,
    }
    file = write_file(tmp_path, dict.fromkeys(keys, parameters))
    command = launch_command(
        f'params_file:={file}',
        'namespace:=robot1',
        'image_topic:=/front/image_raw',
        'image_transport:=raw',
        f'extractor:={extractor}',
        f'data_dir:={tmp_path / "2026"}',
        'device:=cpu',
        'autostart:=true',
        'follow_models:=false',
        'use_sim_time:=false',
    )
    with RunningProgram(command, {'PYTHONPATH': package_path}) as launch:
        launch.wait_for_log(f'extractor {extractor} runs on cpu')
        launch.wait_for_log(f'0 samples in {tmp_path / "2026"}')
        reads = launch.wait_for_log("camera 'rear' reads")
        assert 'reads /front/image_raw ' in f'{reads} '
        launch.wait_until_ready()
        with Person('/robot1/edgetpu_retrain') as person:
            person.wait_until_ready()
            names = ['follow_models', 'use_sim_time', 'device', 'max_results']
            assert parameters_of(person, names) == [False, False, 'cpu', 3]
        assert launch.end() == 0


@needs_launch
@pytest.mark.parametrize('argument', ['image_topic:=/front/image', 'image_transport:=raw'])
def test_an_argument_for_one_camera_is_refused_if_there_are_several(
    argument: str, tmp_path: Path, package_path: str
) -> None:
    file = write_file(tmp_path, {'/**': {'cameras': ['front', 'arm']}})
    command = launch_command(f'params_file:={file}', argument)
    name = argument.partition(':=')[0]
    with RunningProgram(command, {'PYTHONPATH': package_path}) as launch:
        assert launch.wait() == 1
    refusal = f'{name}:= is for one camera, and {file} has 2 (front, arm): set front.{name} and'
    assert [line for line in launch.log if refusal in line]
    assert not [line for line in launch.log if 'process started' in line]


@needs_launch
def test_a_parameter_file_that_is_missing_is_refused(tmp_path: Path, package_path: str) -> None:
    command = launch_command(f'params_file:={tmp_path / "robot.yaml"}')
    with RunningProgram(command, {'PYTHONPATH': package_path}) as launch:
        assert launch.wait() == 1
    refusal = f'params_file {tmp_path / "robot.yaml"} cannot be read: '
    assert [line for line in launch.log if refusal in line]
    assert not [line for line in launch.log if 'process started' in line]


@needs_launch
@pytest.mark.parametrize(
    'name',
    ['respawn', 'autostart', 'follow_models', 'use_sim_time', 'image_transport', 'log_level'],
)
def test_a_value_that_is_no_choice_is_refused(name: str, package_path: str) -> None:
    command = launch_command(f'{name}:=maybe')
    with RunningProgram(command, {'PYTHONPATH': package_path}) as launch:
        assert launch.wait() == 1
    assert [line for line in launch.log if name in line and 'maybe' in line]


@needs_launch
def test_the_log_level_is_that_of_the_node(tmp_path: Path, package_path: str) -> None:
    with start_launch(tmp_path, package_path, 'log_level:=error') as launch, Person() as person:
        person.wait_until_ready()
        statuses = person.collect(Status, 'status', LATCHED)
        statuses.wait_for(lambda each: each.state == 'active')
        assert launch.end() == 0
    assert not [line for line in launch.log if '[INFO]' in line and 'edgetpu_retrain]' in line]


def start_launch(tmp_path: Path, package_path: str, *arguments: str) -> RunningProgram:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    given = [f'extractor:={extractor}', f'data_dir:={tmp_path / "data"}', *arguments]
    return RunningProgram(launch_command(*given), {'PYTHONPATH': package_path})


def abort_node(launch: RunningProgram) -> None:
    """End the node as a library does that calls abort()."""
    started = launch.wait_for_log('process started with pid')
    found = re.search(r'started with pid \[(\d+)\]', started)
    assert found is not None
    os.kill(int(found[1]), signal.SIGABRT)


@needs_launch
def test_a_node_whose_process_was_ended_comes_back_with_samples_and_model(
    tmp_path: Path, package_path: str
) -> None:
    with start_launch(tmp_path, package_path) as launch:
        launch.wait_until_ready()
        with Person() as person:
            camera = person.wait_until_ready().camera()
            person.teach(camera, {name: image_message(pattern(n)) for n, name in enumerate('ab')})
            _, result = person.train(num_iter=10, learning_rate=0.1)
            assert result.success, result.message
        since = len(launch.log)
        abort_node(launch)
        launch.wait_for_log('process has died', since=since)
        launch.wait_for_log('12 samples in', since=since)
        launch.wait_for_log('model version 1 serves', since=since)
        launch.wait_for_log('ready', since=since)
        # Somebody who has never seen the node that is gone, which DDS takes for alive for a while.
        with Person() as other:
            assert list(other.wait_until_ready().list_samples().counts) == [6, 6]
        assert launch.end() == 0


@needs_launch
def test_respawning_can_be_switched_off(tmp_path: Path, package_path: str) -> None:
    with start_launch(tmp_path, package_path, 'respawn:=false') as launch:
        launch.wait_until_ready()
        abort_node(launch)
        # A launch with nothing left to run ends by itself.
        launch.wait()
    assert sum('process started with pid' in line for line in launch.log) == 1
