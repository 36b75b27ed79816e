# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""`make teach` without make: node, page and camera as child processes, over DDS and HTTP."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import re
import signal
import sys
import urllib.request
import uuid

from edgetpu_retrain.station import command
from edgetpu_retrain_interfaces.msg import Embedding
import pytest
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from support.marked_processes import marked_processes
from support.running_node import Person, RunningProgram
from support.small_models import build_extractor
from support.videos import write_video
from support.waiting import wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')


class Station(RunningProgram):
    """The program with a small extractor, a free port, and a mark on all its processes."""

    def __init__(self, package_path: str, home: Path, *options: str) -> None:
        self._mark = f'STATION_TEST={uuid.uuid4()}'
        extractor = home / 'small.tflite'
        extractor.write_bytes(build_extractor('uint8'))
        command = [sys.executable, '-m', 'edgetpu_retrain.station.main', *options]
        of_node = ['--ros-args', '-p', f'extractor:={extractor}', '-p', 'device:=cpu']
        name, mark = self._mark.split('=')
        environment = {name: mark, 'PYTHONPATH': package_path, 'ROS_HOME': str(home)}
        super().__init__([*command, '--port', '0', *of_node], environment)

    def running(self) -> dict[int, str]:
        """Return all its processes: id to command line."""
        return marked_processes(self._mark)

    def page(self) -> str:
        """Return the address of the page."""
        line = self.wait_for_log('The page: http://')
        found = re.search(r'http://\S+', line)
        assert found is not None
        return found[0]


@pytest.fixture
def person() -> Iterator[Person]:
    """Return a node that can subscribe."""
    with Person() as person:
        yield person


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / 'video.avi', range(0, 250, 10))


def parameter(person: Person, name: str) -> object:
    (value,) = person.call(GetParameters, 'get_parameters', names=[name]).values
    return parameter_value_to_python(value)


def test_a_video_file_is_seen_by_the_node_and_the_page_is_served(
    person: Person, video: Path, tmp_path: Path, package_path: str
) -> None:
    with Station(package_path, tmp_path, '--camera', str(video)) as run:
        run.wait_for_log(f'Samples and models are in {tmp_path}/edgetpu_retrain, logs in')
        with urllib.request.urlopen(run.page()) as response:  # noqa: S310 - its own address
            assert response.status == 200
            assert b'<html' in response.read()
        person.wait_until_ready()
        person.collect(Embedding, 'embedding').next_one()
        assert parameter(person, 'max_questions') == 50
        wait_until(lambda: len(run.running()) == 4)
        assert run.end() == 0
    assert 'Node, page and camera have ended.' in run.log
    assert 'Traceback' not in '\n'.join(run.log)
    assert run.running() == {}


def test_without_options_the_photographs_are_shown_and_kept_apart(
    person: Person, tmp_path: Path, package_path: str
) -> None:
    with Station(package_path, tmp_path) as run:
        run.wait_for_log('in turn, seven seconds each: background, astronaut,')
        run.page()
        person.wait_until_ready()
        person.collect(Embedding, 'embedding').next_one()
        assert parameter(person, 'data_dir') == str(tmp_path / 'edgetpu_retrain_photographs')
        assert run.end(signal.SIGTERM) == 0
    assert run.running() == {}


def test_a_topic_needs_no_camera(person: Person, tmp_path: Path, package_path: str) -> None:
    with Station(package_path, tmp_path, '--image-topic', '/front/image_raw/compressed') as run:
        person.wait_until_ready()
        assert parameter(person, 'camera.image_topic') == '/front/image_raw'
        assert parameter(person, 'camera.image_transport') == 'compressed'
        wait_until(lambda: len(run.running()) == 3)
    assert run.running() == {}


def test_a_camera_that_is_not_there_ends_all_with_the_reason(
    tmp_path: Path, package_path: str
) -> None:
    with Station(package_path, tmp_path, '--camera', '9') as run:
        assert run.wait() == 1
    assert 'The camera ended early, with exit code 1. The last lines of its log:' in run.log
    assert [line for line in run.log if 'error: there is no camera /dev/video9: plug' in line]
    assert 'Traceback' not in '\n'.join(run.log)
    assert run.running() == {}


def test_a_node_that_is_killed_ends_all_with_its_name(
    video: Path, tmp_path: Path, package_path: str
) -> None:
    with Station(package_path, tmp_path, '--camera', str(video)) as run:
        run.page()
        log = tmp_path / 'log' / 'teach' / 'retrain_node.log'
        wait_until(lambda: 'ready' in log.read_text())
        (node,) = [each for each, line in run.running().items() if 'node.main' in line]
        os.kill(node, signal.SIGKILL)
        assert run.wait() == 1
    assert 'The retrain node ended early, with exit code -9. The last lines of its log:' in run.log
    assert run.running() == {}


def test_an_option_of_the_page_that_is_wrong_is_reported(
    tmp_path: Path, package_path: str
) -> None:
    with Station(package_path, tmp_path, '--image-topic', '/image', '--warp') as run:
        assert run.wait() == 1
    assert 'The page ended early, with exit code 2. The last lines of its log:' in run.log
    assert [line for line in run.log if 'unrecognized arguments: --warp' in line]


def test_a_camera_and_a_topic_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.run(['--camera', '0', '--image-topic', '/image'])
    assert 'not allowed with' in capsys.readouterr().err


def test_without_ros_one_sentence_explains_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda _name: None)
    monkeypatch.setattr(signal, 'signal', lambda _number, _handler: None)
    assert command.run([]) == 1
    assert 'Type `make teach` in the repository' in capsys.readouterr().err
