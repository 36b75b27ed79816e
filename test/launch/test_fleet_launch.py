# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file that makes a robot a member of a fleet."""

from __future__ import annotations

import ast
from pathlib import Path
import re
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain.fleet.robot.parameters import PARAMETERS
import pytest
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from support.fleet_process import running_hub
from support.launch_program import needs_launch, RUN_LAUNCH_FILE
from support.running_node import PATIENCE_S, Person, RunningNode, RunningProgram
from support.small_models import build_extractor
from support.waiting import wait_for

REPOSITORY = Path(__file__).parents[2]
LAUNCH_FILE = REPOSITORY / 'launch' / 'fleet.launch.py'
FLEET = '/robot1/edgetpu_retrain_fleet'


def constant(name: str) -> Any:
    """Return the value of an assignment at the top of the launch file."""
    for statement in ast.parse(LAUNCH_FILE.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    raise AssertionError(f'{name} is not assigned in {LAUNCH_FILE}')


def start_launch(package_path: str, *given: str) -> RunningProgram:
    command = [sys.executable, '-c', RUN_LAUNCH_FILE, str(LAUNCH_FILE), *given]
    return RunningProgram(command, {'PYTHONPATH': package_path})


def test_each_parameter_has_a_launch_argument_of_its_type() -> None:
    defaults = {each.name: each.default for each in PARAMETERS}
    for name, kind in (
        ('TEXT_ARGUMENTS', str),
        ('SWITCH_ARGUMENTS', bool),
        ('NUMBER_ARGUMENTS', float),
    ):
        assert all(type(defaults.pop(each)) is kind for each in constant(name))
    assert not defaults
    assert "executable='fleet'" in LAUNCH_FILE.read_text()
    assert "f'fleet = {NAME}.fleet.main:main'" in (REPOSITORY / 'setup.py').read_text()
    page = (REPOSITORY / 'docs' / 'fleet.md').read_text()
    others = re.findall(r"DeclareLaunchArgument\(\s*'(\w+)'", LAUNCH_FILE.read_text())
    (documented,) = re.findall(r'of these\s+parameters, and (.*?):', page, re.DOTALL)
    assert set(others) == set(re.findall(r'`(\w+)`', documented))


@needs_launch
def test_a_robot_joins_its_fleet_with_all_arguments(tmp_path: Path, package_path: str) -> None:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    parameters = {'extractor': extractor, 'data_dir': tmp_path / 'data'}
    with running_hub(tmp_path, {'ada': 'teach'}) as robots:
        arguments = {
            **robots['ada'],
            'namespace': 'robot1',
            'share_pictures': 'true',
            'learn_from': 'evidence',
            'max_origin_share': '0.25',
            'retrain_node': 'edgetpu_retrain',
            'respawn': 'false',
            'log_level': 'info',
        }
        given = [f'{name}:={value}' for name, value in arguments.items()]
        with (
            start_launch(package_path, *given) as launch,
            Person('/robot1/edgetpu_retrain') as person,
        ):
            launch.wait_for_log('/robot1/edgetpu_retrain does not respond: is it running?')
            namespace = ['-r', '__ns:=/robot1']
            with RunningNode(package_path, parameters, namespace) as node:
                node.wait_until_ready()
                launch.wait_for_log(f'with the samples in {tmp_path / "data"}')
                launch.wait_for_log('set its parameter follow_models to true')
                diagnostics = person.collect(DiagnosticArray, '/diagnostics')
                diagnostics.wait_for(lambda each: each.status[0].name == f'{FLEET}: fleet')
            names = ['share_pictures', 'max_origin_share']
            client = person.node.create_client(GetParameters, f'{FLEET}/get_parameters')
            assert client.wait_for_service(PATIENCE_S)
            response = wait_for(client.call_async(GetParameters.Request(names=names)))
            values = [parameter_value_to_python(each) for each in response.values]
            assert values == [True, 0.25]
            assert launch.end() == 0


@needs_launch
@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ((), 'fleet:= is not given, so this robot is in no fleet'),
        (('fleet:=nats://base', 'max_origin_share:=half'), 'max_origin_share:=half is no number'),
        (('fleet:=nats://base', 'respawn:=false'), 'parameter credentials: it is empty'),
        (
            ('fleet:=nats://base', 'credentials:=missing.json', 'respawn:=false'),
            'missing.json',
        ),
    ],
)
def test_what_is_missing_or_wrong_is_logged(
    given: tuple[str, ...], words: str, package_path: str
) -> None:
    with start_launch(package_path, *given) as launch:
        launch.wait()
    assert [line for line in launch.log if words in line]
