# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file and the parameter file against the node that they are for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
import os
from pathlib import Path
import re
import signal
import sys
from typing import Any

from edgetpu_retrain.node.parameters.values import camera_parameters, PARAMETERS
from edgetpu_retrain.node.spin import NODE_NAME
from support.launch_program import needs_launch, RUN_LAUNCH_FILE
from support.running_node import image_message, pattern, Person, RunningProgram
from support.small_models import build_extractor
import yaml

REPOSITORY = Path(__file__).parents[2]
LAUNCH_FILE = REPOSITORY / 'launch' / 'retrain.launch.py'
PARAMETER_FILE = REPOSITORY / 'config' / 'retrain.yaml'

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
        for call in source.calls('DeclareLaunchArgument')
        if isinstance(call.args[0], ast.Constant)
    }
    of_parameters = source.constant('PARAMETER_ARGUMENTS')
    assert {*literal, *of_parameters} == {
        *('image_topic', 'device', 'extractor', 'namespace', 'data_dir', 'params_file'),
        *('respawn', 'enclave'),
    }
    assert set(of_parameters) <= set(DECLARED)
    # What is asked for is what is declared.
    asked = {
        call.args[0].value
        for call in source.calls('LaunchConfiguration')
        if isinstance(call.args[0], ast.Constant)
    }
    assert asked == literal


def test_the_launch_file_starts_the_node_that_there_is() -> None:
    keywords = Source().keywords('Node')
    setup = (REPOSITORY / 'setup.py').read_text()
    assert keywords['executable'] == repr(f'{NODE_NAME}_node')
    assert '_node = {NAME}.node.main:main' in setup
    assert keywords['package'] == keywords['name'] == repr(NODE_NAME)
    enclave = "in_enclave if context.launch_configurations['enclave'] else []"
    assert keywords['ros_arguments'] == enclave
    # The topic that the argument image_topic stands for is a camera's default.
    assert f"('{DECLARED['camera.image_topic']}', " in keywords['remappings']


@needs_launch
def test_the_launch_file_runs_with_all_its_arguments(tmp_path: Path, package_path: str) -> None:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    arguments = {
        'namespace': 'robot1',
        'image_topic': '/front/image_raw',
        'extractor': extractor,
        'data_dir': tmp_path / 'data',
        'device': 'cpu',
        'params_file': PARAMETER_FILE,
    }
    given = [f'{name}:={value}' for name, value in arguments.items()]
    command = [sys.executable, '-c', RUN_LAUNCH_FILE, str(LAUNCH_FILE), *given]
    with RunningProgram(command, {'PYTHONPATH': package_path}) as launch:
        launch.wait_for_log(f'extractor {extractor} runs on cpu')
        launch.wait_for_log(f'0 samples in {tmp_path / "data"}')
        launch.wait_for_log("camera 'camera' reads /front/image_raw")
        launch.wait_until_ready()
        with Person('/robot1/edgetpu_retrain') as person:
            assert person.wait_until_ready().list_samples().success
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
    }
    file = tmp_path / 'robot.yaml'
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': parameters}}))
    command = [sys.executable, '-c', RUN_LAUNCH_FILE, str(LAUNCH_FILE), f'params_file:={file}']
    with RunningProgram(command, {'PYTHONPATH': package_path}) as launch:
        launch.wait_for_log(f'extractor {extractor} runs on cpu')
        launch.wait_for_log("camera 'rear' reads /rear/image/compressed")
        launch.wait_until_ready()
        assert launch.end() == 0


def start_launch(tmp_path: Path, package_path: str, *arguments: str) -> RunningProgram:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    given = [f'extractor:={extractor}', f'data_dir:={tmp_path / "data"}', *arguments]
    command = [sys.executable, '-c', RUN_LAUNCH_FILE, str(LAUNCH_FILE), *given]
    return RunningProgram(command, {'PYTHONPATH': package_path})


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
