# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program webcam in a child process, with a video file, over DDS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import sys

from edgetpu_retrain.webcam import main as webcam_main
import pytest
from rclpy.qos import qos_profile_sensor_data, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from support.robot_messages import stamp_ns
from support.running_node import Collected, Person, RunningProgram
from support.videos import brightness, write_video
from support.waiting import wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


@pytest.fixture
def person() -> Iterator[Person]:
    """Return a node that can subscribe."""
    with Person() as person:
        yield person


def start(package_path: str, *parameters: str) -> RunningProgram:
    given = [part for each in parameters for part in ('-p', each)]
    command = [sys.executable, '-m', 'edgetpu_retrain.webcam.main', '--ros-args', *given]
    return RunningProgram(command, {'PYTHONPATH': package_path})


def received(person: Person, topic: str, qos: QoSProfile) -> Collected[Image]:
    images: Collected[Image] = person.collect(Image, topic, qos)
    return images


def shown(images: Collected[Image]) -> set[int]:
    return {brightness(each.data) for each in tuple(images)}


def test_a_video_is_published_in_a_loop_with_stamps_that_advance(
    person: Person, tmp_path: Path, package_path: str
) -> None:
    file = write_video(tmp_path / 'video.avi', (50, 100, 150))
    reliable = received(person, '/front/image', RELIABLE)
    best_effort = received(person, '/front/image', qos_profile_sensor_data)
    parameters = (f'source:={file}', 'image_topic:=/front/image', 'frame_id:=front_optical')
    with start(package_path, *parameters, 'rate:=50', 'width:=32') as webcam:
        webcam.wait_for_log(f'{file} is published on /front/image: 32x24 at 50 Hz')
        for images in (reliable, best_effort):
            wait_until(lambda images=images: {50, 100, 150} <= shown(images))  # type: ignore[misc]
        count = len(reliable)
        reliable.wait_for(lambda each: brightness(each.data) == 50, since=count)
        assert webcam.end() == 0
    image = reliable[0]
    assert (image.width, image.height, image.encoding, image.step) == (32, 24, 'bgr8', 96)
    assert image.header.frame_id == 'front_optical'
    assert len(image.data) == 32 * 24 * 3
    # The picture of a camera that stands still is new each time, too.
    stamps = [stamp_ns(each.header) for each in reliable]
    assert stamps == sorted(set(stamps))
    assert 'Traceback' not in '\n'.join(webcam.log)


def test_the_reliability_can_be_overridden(
    person: Person, tmp_path: Path, package_path: str
) -> None:
    file = write_video(tmp_path / 'video.avi', (50,))
    images = received(person, '/image_raw', qos_profile_sensor_data)
    override = 'qos_overrides./image_raw.publisher.reliability:=best_effort'
    with start(package_path, f'source:={file}', override):
        images.next_one()
        (publisher,) = person.node.get_publishers_info_by_topic('/image_raw')
        assert publisher.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


@pytest.mark.parametrize(
    ('parameter', 'exit_code', 'words'),
    [
        ('source:=9', 1, 'error: there is no camera /dev/video9: plug one in'),
        ('source:=no.mp4', 1, "error: there is no video file 'no.mp4'"),
        ('source:=[]', 2, 'error: source is []: give one value, not a list.'),
        ('image_topic:=[a, b]', 2, "error: image_topic is ['a', 'b']: give one value"),
        ("image_topic:='a b'", 2, "error: image_topic is 'a b': give the name of a topic ("),
        ('width:=[]', 2, 'error: width is []: give a number from 1 to 8192.'),
        ('width:=0', 2, 'error: width is 0: give a number from 1 to 8192.'),
        ('rate:=fast', 2, 'error: rate is fast: give a number from 0 to 240.'),
        ('rate:=.nan', 2, 'error: rate is nan: give a number from 0 to 240.'),
        ('rate:=[1', 2, 'error: '),
    ],
)
def test_what_is_wrong_is_one_sentence(
    parameter: str, exit_code: int, words: str, package_path: str
) -> None:
    with start(package_path, parameter) as webcam:
        assert webcam.wait() == exit_code
    assert [line for line in webcam.log if line.startswith(words)]
    assert 'Traceback' not in '\n'.join(webcam.log)


def test_without_ros_one_sentence_explains_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda _name: None)
    for name in ('edgetpu_retrain.webcam.webcam_node', 'edgetpu_retrain.needs_ros'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(SystemExit) as ended:
        webcam_main.main([])
    assert ended.value.code == 1
    assert 'need ROS 2' in capsys.readouterr().err
