# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The node beside command lines of other processes that teach, train and choose, over DDS."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain_interfaces.msg import Result, Status
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.bags import png
from support.command_line_types import TEACH_ALL
from support.running_node import image_message, pattern, Person, RunningNode
from support.small_models import build_extractor
from vision_msgs.msg import VisionInfo

pytestmark = pytest.mark.usefixtures('measured_processes')

LABELS = ('cat', 'dog')
LATCHED = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)
CommandLine = Callable[..., str]


@pytest.fixture
def command_line(package_path: str, small_extractor: Path, tmp_path: Path) -> CommandLine:
    """Return what runs a command in a process of its own, on the data folder of the node."""

    def run(*arguments: object, extractor: Path | None = small_extractor) -> str:
        command = [sys.executable, '-m', 'edgetpu_retrain', *map(str, arguments)]
        command += ['--data-dir', str(tmp_path / 'data')]
        if extractor:
            command += ['--extractor', str(extractor)]
        done = subprocess.run(
            command,
            env={**os.environ, 'PYTHONPATH': package_path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    """Return a folder of classes."""
    for seed, label in enumerate(LABELS, 1):
        (tmp_path / 'lessons' / label).mkdir(parents=True)
        for index in range(4):
            picture = tmp_path / 'lessons' / label / f'{index}.png'
            picture.write_bytes(png(pattern(seed)))
    return tmp_path / 'lessons'


def set_follow_models(person: Person, value: bool) -> None:
    answer = person.set_parameter('follow_models', value)
    assert answer.successful, answer.reason


def train(person: Person) -> int:
    status, result = person.train(num_iter=50, learning_rate=0.1)
    assert status == GoalStatus.STATUS_SUCCEEDED, result.message
    return int(result.model_version)


def lines(node: RunningNode, words: str) -> list[str]:
    """Return what the node has logged with these words."""
    return [line for line in node.log if words in line]


def test_a_node_that_does_not_follow_reports_the_pending_version(
    start_node: Any, person: Person, command_line: CommandLine, lessons: Path
) -> None:
    node: RunningNode = start_node()
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    command_line(*TEACH_ALL, lessons)
    taught = statuses.wait_for(lambda status: list(status.counts) == [4, 4])
    assert list(taught.labels) == list(LABELS), 'what others teach is counted'
    command_line('train')
    waits = statuses.wait_for(lambda status: status.pending_model_version == 1)
    assert (waits.model_version, list(waits.problems)) == (0, [])
    line = node.wait_for_log('another program trained model version 1, and none serves yet')
    assert 'load it with ~/load_model' in line
    assert person.load_model(0).model_version == 1
    statuses.wait_for(
        lambda status: (status.model_version, status.pending_model_version) == (1, 0)
    )
    # An own training is nobody else's, and leaves what was chosen before behind.
    assert train(person) == 2
    command_line('models', 'use', 1, extractor=None)
    node.wait_for_log('another program chose model version 1, and version 2 goes on')
    chosen = statuses.wait_for(
        lambda status: status.pending_model_version == 1, since=len(statuses) - 1
    )
    assert chosen.model_version == 2
    # As soon as it may, it does.
    set_follow_models(person, value=True)
    node.wait_for_log('model version 1 serves, because another program chose it')
    statuses.wait_for(
        lambda status: (status.model_version, status.pending_model_version) == (1, 0),
        since=len(statuses) - 1,
    )
    assert not lines(node, 'model version 2, and')
    assert len(lines(node, 'another program trained')) == 1
    assert len(lines(node, 'another program chose')) == 2


def test_a_node_that_follows_loads_it_between_two_frames(
    start_node: Any, person: Person, command_line: CommandLine, lessons: Path
) -> None:
    node: RunningNode = start_node({'follow_models': 'true'})
    person.wait_until_ready()
    results = person.collect(Result, 'result')
    announced = person.collect(VisionInfo, 'vision_info', LATCHED)
    camera = person.camera()
    camera.show(image_message(pattern(1)))
    command_line(*TEACH_ALL, lessons)
    command_line('train')
    result = results.wait_for(lambda each: each.model_version == 1)
    assert result.classification.results[0].class_id == 'cat'
    assert train(person) == 2
    command_line('train')
    results.wait_for(lambda each: each.model_version == 3)
    command_line('models', 'rollback', extractor=None)
    results.wait_for(lambda each: each.model_version == 2, since=len(results))
    announced.wait_for(lambda each: each.database_version == 4)
    node.wait_for_log('model version 2 serves, because another program chose it')
    # Each swap is announced once: neither is the node's own training loaded a second time, nor
    # does the node count the command line's choice again.
    assert [each.database_version for each in announced] == [1, 2, 3, 4]
    assert len(lines(node, 'serves, because another program')) == 3
    assert node.end() == 0


def test_what_cannot_serve_is_said_once_and_not_loaded(
    start_node: Any, person: Person, command_line: CommandLine, lessons: Path, tmp_path: Path
) -> None:
    node: RunningNode = start_node({'follow_models': 'true'})
    person.wait_until_ready()
    statuses = person.collect(Status, 'status', LATCHED)
    other = tmp_path / 'other.tflite'
    other.write_bytes(build_extractor('uint8', dimension=16, image_size=16, seed=1))
    for extractor in (None, other):
        given = {'extractor': extractor} if extractor else {}
        command_line(*TEACH_ALL, lessons, **given)
    command_line('train')
    statuses.wait_for(lambda status: status.model_version == 1)
    # Of another extractor.
    command_line('train', extractor=other)
    node.wait_for_log('model version 2 of another program does not serve')
    refused = statuses.wait_for(lambda status: bool(status.problems))
    assert 'was trained for extractor' in refused.problems[0]
    # Damaged: a copy over the network that has not come to its end.
    whole = (tmp_path / 'data' / 'models' / 'model_000001.tflite').read_bytes()
    record = (tmp_path / 'data' / 'models' / 'model_000001.json').read_text()
    copied = tmp_path / 'data' / 'models' / 'model_000003.tflite'
    copied.write_bytes(whole[:100])
    copied.with_suffix('.json').write_text(record.replace('"version": 1', '"version": 3'))
    node.wait_for_log('model version 3 of another program does not serve')
    before = len(statuses)
    # Any look at the folder between now and then would have said it again.
    copied.write_bytes(whole)
    node.wait_for_log('model version 3 serves, because another program trained it')
    well = statuses.wait_for(lambda status: status.model_version == 3)
    statuses.wait_for(lambda status: not status.problems, since=before)
    assert well.pending_model_version == 0
    for version in (2, 3):
        assert len(lines(node, f'version {version} of another program does not serve')) == 1
