# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file that plays a recording to the node."""

from __future__ import annotations

import ast
from pathlib import Path
import sys
from typing import Any

import cv2
from edgetpu_retrain_interfaces.msg import Embedding
import pytest
from support.bags import BEGIN, compressed_image, image, photographs, png, SECOND, text, write_bag
from support.launch_program import needs_launch, RUN_LAUNCH_FILE
from support.running_node import Person, RunningProgram
from support.small_models import build_extractor
from support.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
LAUNCH_FILE = REPOSITORY / 'launch' / 'replay.launch.py'
TOPIC = '/camera/image_raw'
LENGTH = 20
STAMPS = [BEGIN + index * SECOND // 10 for index in range(LENGTH)]


def test_the_programs_that_it_starts_are_there() -> None:
    tree = ast.parse(LAUNCH_FILE.read_text())
    executables = {
        ast.literal_eval(each.value)
        for each in ast.walk(tree)
        if isinstance(each, ast.keyword) and each.arg == 'executable'
    }
    assert executables == {'replay'}
    assert "== 'edgetpu_retrain_node'" in LAUNCH_FILE.read_text()
    assert "f'replay = {NAME}.replay.main:main'" in (REPOSITORY / 'setup.py').read_text()


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Return a bag with raw and compressed pictures of two seconds."""
    pictures: list[Any] = [cv2.resize(each, (64, 48)) for each in photographs('cat', LENGTH)]
    raw = [image(rgb, stamp) for rgb, stamp in zip(pictures, STAMPS, strict=True)]
    small = [compressed_image(png(rgb), at) for rgb, at in zip(pictures, STAMPS, strict=True)]
    topics = {TOPIC: raw, f'{TOPIC}/compressed': small, '/cmd': [text('forward')]}
    return write_bag(tmp_path / 'bag', 'mcap', topics)


def stamp_of(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec * SECOND + stamp.nanosec)


def nodes_and_enclaves(person: Person) -> list[tuple[str, str, str]]:
    return list(person.node.get_node_names_and_namespaces_with_enclaves())


def start_launch(
    tmp_path: Path, package_path: str, bag: Path, topic: str, *more: str
) -> RunningProgram:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    given = [
        f'bag:={bag}',
        f'image_topic:={topic}',
        f'extractor:={extractor}',
        f'data_dir:={tmp_path / "data"}',
        'device:=cpu',
        *more,
    ]
    command = [sys.executable, '-c', RUN_LAUNCH_FILE, str(LAUNCH_FILE), *given]
    return RunningProgram(command, {'PYTHONPATH': package_path})


@needs_launch
@pytest.mark.parametrize('topic', [TOPIC, f'{TOPIC}/compressed'])
def test_a_node_sees_the_recording_and_ends_with_it(
    topic: str, bag: Path, tmp_path: Path, package_path: str
) -> None:
    with Person('/desk/edgetpu_retrain') as person:
        embedded = person.collect(Embedding, 'embedding')
        # Slowly: the node has to discover the subscription meanwhile.
        enclave = '/edgetpu_retrain/camera'
        given = ('rate:=0.4', 'namespace:=desk', f'player_enclave:={enclave}')
        with start_launch(tmp_path, package_path, bag, topic, *given) as launch:
            launch.wait_for_log(f"camera 'camera' reads {topic}")
            wait_until(lambda: ('replay', '/', enclave) in nodes_and_enclaves(person))
            launch.wait_for_log(f'played {LENGTH} images: done')
            assert launch.wait() == 0
    embedded.wait_for(lambda each: stamp_of(each) == STAMPS[-1])
    assert {stamp_of(each) for each in embedded} <= set(STAMPS)
    assert not [line for line in launch.log if '/cmd' in line]


@needs_launch
def test_a_topic_that_is_not_there_ends_it_with_those_that_are(
    bag: Path, tmp_path: Path, package_path: str
) -> None:
    with start_launch(tmp_path, package_path, bag, '/front') as launch:
        launch.wait()
    assert [line for line in launch.log if "has no topic '/front': choose one of its" in line]


@needs_launch
def test_a_loop_goes_on_until_it_is_stopped(bag: Path, tmp_path: Path, package_path: str) -> None:
    with start_launch(tmp_path, package_path, bag, TOPIC, 'rate:=50', 'loop:=true') as launch:
        launch.wait_for_log('images; again')
        assert launch.end() == 0
