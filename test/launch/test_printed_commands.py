# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands that the README and docs/replay.md print for a robot, run as printed, in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import itertools
from pathlib import Path
import re
import threading

import cv2
from edgetpu_retrain.command_line.main import main
import pytest
from support.bags import BEGIN, image, photographs, SECOND, write_bag, write_class_folders
from support.command_line_types import TEACH_ALL
from support.launch_program import needs_ros2_command
from support.running_node import Camera, image_message, Person, RunningProgram
from support.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
LENGTH = 20
# Of the views of a moved camera, those that are not near copies.
FEWEST_VIEWS = 5
STAMPS = [BEGIN + index * SECOND // 10 + 1 for index in range(LENGTH)]


def printed(page: str, heading: str) -> list[str]:
    """Return the shell blocks of a section, without its sub-sections."""
    section = (REPOSITORY / page).read_text().split(f'{heading}\n', 1)[1]
    section = re.split(r'^#+ ', section, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r'^```bash\n(.*?)^```', section, re.MULTILINE | re.DOTALL)


def program(command: str, package_path: str) -> RunningProgram:
    return RunningProgram(['bash', '-c', f'exec {command}'], {'PYTHONPATH': package_path})


def run(command: str, package_path: str) -> str:
    """Return the output of a command that must succeed."""
    with program(command, package_path) as running:
        assert running.wait() == 0, running.log
    return '\n'.join(running.log)


@contextmanager
def moved(camera: Camera, subject: str) -> Iterator[None]:
    """Move a camera in front of a subject, and show the subject afterwards, too."""
    ended = threading.Event()
    # A busy machine loses large images.
    views = [image_message(cv2.resize(each, (320, 240))) for each in photographs(subject, 60)]

    def move() -> None:
        for view in itertools.cycle(views):
            camera.show(view)
            if ended.wait(0.1):
                return

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def ros_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a fresh ROS_HOME, and make its folder the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'ros'))
    return tmp_path / 'ros'


@needs_ros2_command
def test_the_readme_teaches_trains_and_watches(ros_home: Path, package_path: str) -> None:
    start = printed('README.md', '## On a robot')[0].strip().splitlines()[-1]
    background, teach, train, watch = printed('README.md', '### Teach, train, watch')
    with program(start, package_path) as launch, Person() as person:
        launch.wait_for_log(f'0 samples in {ros_home}/edgetpu_retrain')
        launch.wait_until_ready()
        camera = person.wait_until_ready().camera('/camera/image_raw')
        for command, subject in (
            (background, 'background'),
            (teach.replace('cup', 'cat'), 'cat'),
            (teach, 'coffee'),
        ):
            with moved(camera, subject):
                response = run(command, package_path)
            assert 'success=True' in response
            # Near copies are left out.
            (added,) = re.findall(r'added=(\d+)', response)
            assert int(added) >= FEWEST_VIEWS
        trained = run(train, package_path)
        assert 'Feedback:' in trained
        assert 'success: true' in trained
        with program(watch, package_path) as echo:
            echo.wait_for_log('class_id: cup')
        assert launch.end() == 0


@needs_ros2_command
def test_the_page_on_replay_plays_a_recording(ros_home: Path, package_path: str) -> None:
    watch, play, _ = printed('docs/replay.md', '# Replay at a desk')
    folders = write_class_folders(ros_home / 'photographs', ('cat', 'coffee'), 12)
    assert main([*TEACH_ALL, str(folders)]) == 0
    assert main(['train']) == 0
    pictures = photographs('cat', LENGTH)
    recorded = [image(rgb, stamp) for rgb, stamp in zip(pictures, STAMPS, strict=True)]
    write_bag(Path('my_bag'), 'mcap', {'/camera/image_raw': recorded})
    with program(watch, package_path) as echo, Person() as person:
        topic = '/edgetpu_retrain/classification'
        # The subscription of the person, and that of the command.
        wait_until(lambda: person.node.count_subscribers(topic) == 2)
        with program(play, package_path) as launch:
            assert launch.wait() == 0
        stamps = {f'nanosec: {stamp % SECOND}' for stamp in STAMPS}
        echo.log.wait_for(lambda line: line.strip() in stamps)
        echo.wait_for_log('class_id: cat')
    assert [line for line in launch.log if f'played {LENGTH} images: done' in line]
