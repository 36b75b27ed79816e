# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file that starts node, page, webcam and gamepad."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import sys
import urllib.request

from edgetpu_retrain_interfaces.msg import Embedding
import pytest
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from support.launch_program import needs_launch, RUN_LAUNCH_FILE
from support.running_node import Person, RunningProgram
from support.small_models import build_extractor
from support.videos import write_video
from support.waiting import wait_until
import yaml

REPOSITORY = Path(__file__).parents[2]
LAUNCH_FILE = REPOSITORY / 'launch' / 'teach.launch.py'


@pytest.fixture
def person() -> Iterator[Person]:
    """Return a person at a robot in a namespace."""
    with Person('/robot1/edgetpu_retrain') as person:
        yield person


def start_launch(tmp_path: Path, package_path: str, *more: str) -> RunningProgram:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    given = (f'extractor:={extractor}', 'device:=cpu', 'port:=0', 'respawn:=false')
    command = [sys.executable, '-c', RUN_LAUNCH_FILE, str(LAUNCH_FILE), *given, *more]
    return RunningProgram(command, {'PYTHONPATH': package_path})


def parameters_of(person: Person, *names: str) -> list[object]:
    values = person.call(GetParameters, 'get_parameters', names=list(names)).values
    return [parameter_value_to_python(each) for each in values]


def test_its_programs_are_installed_and_its_arguments_documented() -> None:
    tree = ast.parse(LAUNCH_FILE.read_text())
    executables = {
        ast.literal_eval(each.value)
        for each in ast.walk(tree)
        if isinstance(each, ast.keyword) and each.arg == 'executable'
    }
    setup = (REPOSITORY / 'setup.py').read_text()
    assert executables == {'webcam', 'page', 'gamepad'}
    for each in executables:
        assert f"f'{each} = {{NAME}}.{each}.main:main'" in setup
    declared = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == 'DeclareLaunchArgument'
        and isinstance(call.args[0], ast.Constant)
    }
    (options,) = [
        ast.literal_eval(each.value)
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == 'PAGE_OPTIONS'
    ]
    declared |= {
        f'{ast.literal_eval(call.args[0])}_enclave'
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == '_enclave_argument'
    }
    page = (REPOSITORY / 'docs' / 'teaching_page.md').read_text()
    rows = set(re.findall(r'^\| `(\w+):=', page, re.MULTILINE))
    assert rows == {*declared, *options}


@needs_launch
def test_a_video_is_seen_by_the_node_and_the_page_is_served(
    person: Person, tmp_path: Path, package_path: str
) -> None:
    video = write_video(tmp_path / 'video.avi', range(0, 250, 10))
    data = tmp_path / 'data'
    given = (f'camera:={video}', 'namespace:=robot1', f'data_dir:={data}', 'gamepad:=cup,bottle')
    with start_launch(tmp_path, package_path, *given) as launch:
        launch.wait_for_log('is published on /robot1/webcam/image_raw: 64x48 at 25 Hz')
        launch.wait_for_log("camera 'camera' reads /robot1/webcam/image_raw")
        launch.wait_for_log(f'0 samples in {data}')
        launch.wait_for_log('to teach /robot1/edgetpu_retrain (0: cup, 1: bottle)')
        found = re.search(r'http://\S+', launch.wait_for_log('The page: http://'))
        assert found is not None
        with urllib.request.urlopen(found[0]) as response:  # noqa: S310 - its own address
            assert b'<html' in response.read()
        person.wait_until_ready().collect(Embedding, 'embedding').next_one()
        assert parameters_of(person, 'max_questions') == [50]
        assert launch.end() == 0


@needs_launch
def test_each_program_is_in_its_enclave(person: Person, tmp_path: Path, package_path: str) -> None:
    video = write_video(tmp_path / 'video.avi', range(0, 250, 10))
    enclaves = {
        'edgetpu_retrain': '/edgetpu_retrain/node',
        'edgetpu_retrain_page': '/edgetpu_retrain/teacher',
        'edgetpu_retrain_page_client': '/edgetpu_retrain/teacher',
        'webcam': '/edgetpu_retrain/camera',
        'gamepad': '/edgetpu_retrain/gamepad',
        'gamepad_client': '/edgetpu_retrain/gamepad',
    }
    given = (
        *(f'camera:={video}', 'gamepad:=cup', 'namespace:=robot1'),
        f'enclave:={enclaves["edgetpu_retrain"]}',
        f'page_enclave:={enclaves["edgetpu_retrain_page"]}',
        f'camera_enclave:={enclaves["webcam"]}',
        f'gamepad_enclave:={enclaves["gamepad"]}',
    )

    def seen() -> dict[str, str]:
        found = person.node.get_node_names_and_namespaces_with_enclaves()
        return {name: enclave for name, space, enclave in found if space == '/robot1'}

    with start_launch(tmp_path, package_path, *given) as launch:
        launch.wait_for_log('The page: ')
        wait_until(lambda: enclaves.items() <= seen().items())
        assert launch.end() == 0


@needs_launch
def test_a_topic_needs_no_webcam(person: Person, tmp_path: Path, package_path: str) -> None:
    given = ('image_topic:=/front/image_raw/compressed', 'namespace:=robot1')
    with start_launch(tmp_path, package_path, *given, 'max_questions:=7') as launch:
        launch.wait_for_log("camera 'camera' reads /front/image_raw/compressed")
        launch.wait_for_log('The page: ')
        person.wait_until_ready()
        assert parameters_of(person, 'max_questions') == [7]
        assert launch.end() == 0
    assert not [line for line in launch.log if '[webcam-' in line or '[gamepad-' in line]


@needs_launch
def test_cameras_of_a_parameter_file_need_no_webcam(tmp_path: Path, package_path: str) -> None:
    file = tmp_path / 'robot.yaml'
    parameters = {'cameras': ['arm'], 'arm.image_topic': '/arm/image'}
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': parameters}}))
    with start_launch(tmp_path, package_path, f'params_file:={file}') as launch:
        launch.wait_for_log("camera 'arm' reads /arm/image")
        launch.wait_for_log('The page: ')
        assert launch.end() == 0
    assert not [line for line in launch.log if '[webcam-' in line]


@needs_launch
def test_without_a_camera_the_first_webcam_is_opened(tmp_path: Path, package_path: str) -> None:
    with start_launch(tmp_path, package_path) as launch:
        launch.wait_for_log('there is no camera /dev/video0: plug one in')
        assert launch.end() == 0


@needs_launch
@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('image_topic:=/image', 'camera:=0'), 'image_topic:=/image and camera:=0 exclude each'),
        (('image_topic:=/image', 'max_questions:=some'), 'max_questions:=some is no whole number'),
        (('image_topic:=/image', 'lan:=maybe'), 'maybe'),
    ],
)
def test_wrong_arguments_are_refused(
    arguments: tuple[str, ...], words: str, tmp_path: Path, package_path: str
) -> None:
    with start_launch(tmp_path, package_path, *arguments) as launch:
        assert launch.wait() == 1
    assert [line for line in launch.log if words in line]
