# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera node in a child process, used over DDS as in the demo."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
import signal
import sys
import time
from typing import Any

from edgetpu_retrain.demo import photographs
from edgetpu_retrain.demo import stage as stage_module
from edgetpu_retrain.demo.camera_node import CameraNode, FRAME_ID
from edgetpu_retrain.demo.scenes import (
    CAMERA_NODE,
    EXAM_FRAMES,
    exam_scene,
    play,
    SCENE_EXAM,
    SCENE_IDLE,
    SCENE_PARAMETER,
    teaching_scene,
)
from edgetpu_retrain.demo.stage import Stage, StageError, stamp_ns
from edgetpu_retrain.processes.child_process import Child, Processes
from edgetpu_retrain.processes.isolation import (
    private_domain_id,
    private_environment,
    with_large_images,
)
from edgetpu_retrain.processes.prerequisites import config_folder
import numpy as np
import pytest
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.parameter import Parameter
from support.late_node import LateNode
from support.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures('measured_processes')

SEED = 3


class Audience:
    """Keeps the messages of the exam."""

    def __init__(self) -> None:
        self.truths: list[Any] = []
        self.images: list[Any] = []

    def stage(self, namespace: str = '') -> Stage:
        return Stage(self.truths.append, self.images.append, namespace)


def has_truths(audience: Audience) -> bool:
    return len(audience.truths) >= 3


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Everything here, this process included, talks on a private domain."""
    with private_domain_id() as domain_id:
        values = private_environment(domain_id, tmp_path)
        for name in ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_LOG_DIR'):
            monkeypatch.setenv(name, values[name])
        rclpy.init(args=[])
        try:
            yield values
        finally:
            rclpy.try_shutdown()


def start_camera(
    processes: Processes, environment: dict[str, str], name: str, *arguments: str
) -> Child:
    command = [sys.executable, '-m', 'edgetpu_retrain.demo.camera_node', '--ros-args']
    command += ['-p', 'frames_per_second:=30.0', '-p', f'seed:={SEED}', *arguments]
    profile = config_folder() / 'fastdds_large_images.xml'
    return processes.start(name, command, with_large_images(environment, profile))


@pytest.fixture
def camera(environment: dict[str, str], tmp_path: Path) -> Iterator[Child]:
    with Processes(tmp_path) as processes:
        yield start_camera(processes, environment, 'camera')


@pytest.fixture
def audience() -> Audience:
    return Audience()


@pytest.fixture
def stage(camera: Child, audience: Audience) -> Iterator[Stage]:
    created = audience.stage()
    try:
        created.wait_until_ready(PATIENCE_S)
        assert camera.exit_code is None, camera.last_log_lines()
        yield created
    finally:
        created.close()


def test_raw_images_of_a_usual_size_arrive_best_effort_as_they_were_made(
    stage: Stage, audience: Audience
) -> None:
    stage.show_subject('coffee')
    assert stage.spin_until(lambda: len(audience.images) >= 5, PATIENCE_S)
    image = audience.images[-1]
    assert (image.width, image.height, image.encoding, image.step) == (640, 480, 'rgb8', 1920)
    assert image.header.frame_id == FRAME_ID
    picture = np.frombuffer(image.data, np.uint8).reshape(480, 640, 3)
    frames = play(teaching_scene('coffee'), SEED)
    made = (next(frames).picture for _ in range(2000))
    assert any(np.array_equal(picture, each) for each in made)


def test_every_image_has_a_true_class_with_the_same_stamp(
    stage: Stage, audience: Audience
) -> None:
    stage.show(SCENE_EXAM)
    assert stage.spin_until(lambda: len(audience.truths) >= EXAM_FRAMES, PATIENCE_S)
    stage.show(SCENE_IDLE)
    stamps = [stamp_ns(truth.header) for truth in audience.truths]
    assert stamps == sorted(set(stamps))
    # Best effort: a busy machine may lose some.
    assert audience.images
    assert {stamp_ns(image.header) for image in audience.images} <= set(stamps)
    shown = [truth.results[0].class_id for truth in audience.truths]
    assert shown == [frame.subject for frame in play(SCENE_EXAM, SEED)]


def test_true_classes_of_teaching_are_not_those_of_the_exam(
    stage: Stage, audience: Audience
) -> None:
    stage.show_subject('cat')
    stage.show_subject('rocket')
    assert audience.truths == []


def test_idle_publishes_nothing(stage: Stage, audience: Audience) -> None:
    stage.show_subject('cat')
    stage.show(SCENE_IDLE)
    since = time.time_ns()
    stage.spin_until(lambda: False, 0.5)
    assert [image for image in audience.images if stamp_ns(image.header) > since] == []


def test_an_unknown_scene_is_rejected_and_the_current_one_continues(
    stage: Stage, audience: Audience
) -> None:
    stage.show_subject('cat')
    with pytest.raises(StageError, match=r"rejected the scene 'teaching/dog'.*astronaut"):
        stage.show(teaching_scene('dog'))
    seen = len(audience.images)
    assert stage.spin_until(lambda: len(audience.images) > seen, PATIENCE_S)


@pytest.mark.usefixtures('environment')
def test_a_scene_whose_photograph_is_missing_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, '_FOLDER', tmp_path)
    node = CameraNode()
    try:
        (result,) = node.set_parameters([Parameter(SCENE_PARAMETER, value=SCENE_EXAM)])
        scene = node.get_parameter(SCENE_PARAMETER).value
    finally:
        node.destroy_node()
    assert not result.successful
    assert 'reinstall the package edgetpu_retrain' in result.reason
    assert scene == SCENE_IDLE


def test_the_camera_ends_cleanly_when_interrupted(stage: Stage, camera: Child) -> None:
    stage.show_subject('cat')
    camera.process.send_signal(signal.SIGINT)
    assert camera.process.wait(PATIENCE_S) == 0
    assert 'Traceback' not in camera.log.read_text()


@pytest.mark.parametrize(
    ('parameter', 'words'),
    [
        ('frames_per_second:=0', 'frames_per_second is 0: give a number from 0.01 to 1000'),
        ('frames_per_second:=[]', 'frames_per_second is []: give a number'),
        ('scene:=table', "scene is 'table'; it must be 'idle'"),
        ('scene:=3', 'scene'),
    ],
)
def test_an_invalid_parameter_ends_it_with_one_sentence(
    environment: dict[str, str], tmp_path: Path, parameter: str, words: str
) -> None:
    with Processes(tmp_path) as processes:
        command = [sys.executable, '-m', 'edgetpu_retrain.demo.camera_node']
        command += ['--ros-args', '-p', parameter]
        camera = processes.start('camera', command, environment)
        assert camera.process.wait(PATIENCE_S) == 2
        log = camera.log.read_text()
    assert log.startswith('error: ')
    assert words in log
    assert log.count('\n') == 1


@pytest.mark.usefixtures('environment')
def test_a_missing_camera_is_named(audience: Audience) -> None:
    stage = audience.stage()
    try:
        with pytest.raises(StageError, match=r'the camera was not ready after 0 s'):
            stage.wait_until_ready(0.1)
    finally:
        stage.close()


@pytest.mark.usefixtures('environment')
def test_a_camera_that_responds_late_to_each_request_is_ready(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, '_RETRY_S', 0.05)
    stage = audience.stage()
    try:
        with LateNode(CAMERA_NODE, SetParameters, '~/set_parameters'):
            stage.wait_until_ready(PATIENCE_S)
    finally:
        stage.close()


def test_a_camera_in_a_namespace_shows_scenes_of_its_own(
    environment: dict[str, str], tmp_path: Path, audience: Audience
) -> None:
    other = Audience()
    with Processes(tmp_path) as processes:
        for name in ('ada', 'ben'):
            start_camera(processes, environment, name, '-r', f'__ns:=/{name}')
        stages = [audience.stage('/ada'), other.stage('/ben')]
        try:
            for stage, subject in zip(stages, ('cat', 'rocket'), strict=True):
                stage.wait_until_ready(PATIENCE_S)
                stage.show(exam_scene(subject))
            for stage, seen in zip(stages, (audience, other), strict=True):
                assert stage.spin_until(partial(has_truths, seen), PATIENCE_S)
        finally:
            for stage in stages:
                stage.close()
    shown = [{each.results[0].class_id for each in seen.truths} for seen in (audience, other)]
    assert shown == [{'cat'}, {'rocket'}]
