# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program replay in a child process, with bags of both storages, over DDS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
import signal
import sys
import time
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain_interfaces.msg import Embedding
import numpy as np
import pytest
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from support.bags import (
    BEGIN,
    compressed_image,
    image,
    photographs,
    png,
    SECOND,
    STORAGES,
    text,
    write_bag,
)
from support.lone_node import LoneNode
from support.running_node import Collected, PATIENCE_S, Person, RunningNode, RunningProgram
from support.small_models import build_extractor

pytestmark = pytest.mark.usefixtures('measured_processes')

TOPIC = '/camera/image_raw'
# Stamps of a camera that is late by a little, never the time of the recording.
STAMPS = [BEGIN - 7_000_000 + round(index * 0.1 * SECOND) for index in range(40)]
ALL = QoSProfile(depth=100)


@pytest.fixture(scope='session')
def pictures() -> list[Any]:
    """Return views of a photograph, small as they travel fast."""
    return [cv2.resize(each, (64, 48)) for each in photographs('cat', len(STAMPS))]


@pytest.fixture
def person() -> Iterator[Person]:
    """Return a node that can subscribe."""
    with Person() as person:
        yield person


@pytest.fixture
def bag(pictures: list[Any], tmp_path: Path) -> Path:
    """Return a bag with pictures and other things."""
    return write_bag(
        tmp_path / 'bag',
        'mcap',
        {
            TOPIC: [image(rgb, stamp) for rgb, stamp in zip(pictures, STAMPS, strict=True)],
            '/chatter': [text('hello')],
        },
    )


class Player(RunningProgram):
    """The program, playing a bag."""

    def __init__(self, package_path: str, bag: Path, *arguments: str) -> None:
        command = [sys.executable, '-m', 'edgetpu_retrain.replay.main', str(bag), *arguments]
        super().__init__(command, {'PYTHONPATH': package_path})


def stamps_of(messages: Sequence[Any]) -> list[int]:
    stamps = [each.header.stamp for each in messages]
    return [stamp.sec * SECOND + stamp.nanosec for stamp in stamps]


def moment(line: str) -> float:
    """Return when a line was logged, in seconds."""
    return float(line.split('] [')[1])


def frames_received(diagnostics: DiagnosticArray) -> int:
    """Return how many frames the cameras of the node have received."""
    values = [each for status in diagnostics.status for each in status.values]
    return sum(int(each.value) for each in values if each.key == 'frames received')


def wait_for_publisher(person: Person) -> None:
    """Wait until this process and the player have found each other."""
    deadline = time.monotonic() + PATIENCE_S
    while not person.node.count_publishers(TOPIC):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def last_one(messages: Collected[Any]) -> Any:
    return messages.wait_for(lambda each: stamps_of([each])[0] == STAMPS[-1])


@pytest.mark.parametrize('storage', STORAGES)
def test_every_image_reaches_a_node_in_order_with_its_stamp(
    storage: str, pictures: list[Any], person: Person, package_path: str, tmp_path: Path
) -> None:
    messages = [image(rgb, stamp) for rgb, stamp in zip(pictures, STAMPS, strict=True)]
    recorded = write_bag(tmp_path / 'bag', storage, {TOPIC: messages, '/chatter': [text('hello')]})
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    parameters = {
        'data_dir': tmp_path / 'data',
        'extractor': extractor,
        'device': 'cpu',
        # Until it has discovered the publisher, it would be best effort, and might lose the last
        # image.
        f'qos_overrides.{TOPIC}.subscription.reliability': 'reliable',
    }
    seen = person.collect(Image, TOPIC, ALL)
    with RunningNode(package_path, parameters, ['-r', f'image:={TOPIC}']) as node:
        node.wait_until_ready()
        person.wait_until_ready()
        embedded = person.collect(Embedding, 'embedding', ALL)
        # The node and this process.
        arguments = ('--topic', TOPIC, '--rate', '5', '--listeners', '2')
        with Player(package_path, recorded, *arguments) as player:
            last_one(seen)
            ended = moment(player.wait_for_log('played 40 images: done'))
            # It may be slower than was asked for, never faster.
            assert ended - moment(player.wait_for_log('playing at 5 times')) >= 3.9 / 5
            assert player.wait() == 0
        last_one(embedded)
        assert stamps_of(seen) == STAMPS
        for message, rgb in zip(seen, pictures, strict=True):
            assert (message.encoding, message.header.frame_id) == ('bgr8', 'camera_frame')
            shown = np.frombuffer(message.data, np.uint8).reshape(rgb.shape)
            assert np.array_equal(shown, rgb[:, :, ::-1])
        # A node takes the newest frame, so a busy machine may cost it some.
        answered = stamps_of(embedded)
        assert answered == sorted(set(answered) & set(STAMPS))


def test_all_topics_of_pictures_are_played_together(
    pictures: list[Any], person: Person, package_path: str, tmp_path: Path
) -> None:
    raw = [image(rgb, stamp) for rgb, stamp in zip(pictures, STAMPS, strict=True)]
    small = [compressed_image(png(each), at) for each, at in zip(pictures, STAMPS, strict=True)]
    recorded = write_bag(
        tmp_path / 'bag', 'sqlite3', {TOPIC: raw, '/arm/compressed': small, '/chatter': [text('')]}
    )
    both: Collected[Any] = Collected()
    person.node.create_subscription(Image, TOPIC, both.append, ALL)
    person.node.create_subscription(CompressedImage, '/hand/compressed', both.append, ALL)
    arguments = (
        '--rate',
        '20',
        '--listeners',
        '1',
        '--ros-args',
        '-r',
        '/arm/compressed:=/hand/compressed',
    )
    with Player(package_path, recorded, *arguments) as player:
        player.wait_for_log('40 images for /hand/compressed')
        player.wait_for_log('played 80 images')
        assert player.wait() == 0
    both.wait_for(lambda _: len(both) == 80)
    for kind in (Image, CompressedImage):
        assert stamps_of([each for each in both if isinstance(each, kind)]) == STAMPS


def test_a_part_is_played_again_and_again_until_a_signal(
    bag: Path, person: Person, package_path: str
) -> None:
    seen = person.collect(Image, TOPIC, ALL)
    arguments = ('--from', '1', '--to', '1.45', '--rate', '50', '--loop', '--node', '/person')
    with Player(package_path, bag, *arguments) as player:
        player.wait_for_log('played 5 images; again')
        seen.wait_for(lambda _: len(seen) >= 10)
        assert stamps_of(seen[:10]) == STAMPS[10:15] * 2
        assert player.end(signal.SIGTERM) == 0
    assert not [line for line in player.log if 'Traceback' in line]


def test_playback_waits_for_the_retrain_node_and_not_for_others(
    bag: Path, person: Person, package_path: str, tmp_path: Path
) -> None:
    extractor = tmp_path / 'small.tflite'
    extractor.write_bytes(build_extractor('uint8'))
    parameters = {'data_dir': tmp_path / 'data', 'extractor': extractor, 'device': 'cpu'}
    seen = person.collect(Image, TOPIC, ALL)
    with Player(package_path, bag, '--rate', '5') as player:
        player.wait_for_log('waiting for /edgetpu_retrain to subscribe')
        wait_for_publisher(person)
        assert not [line for line in player.log if 'playing' in line]
        assert not seen
        diagnostics = person.collect(DiagnosticArray, '/diagnostics')
        with RunningNode(package_path, parameters, ['-r', f'image:={TOPIC}']):
            assert player.wait() == 0
            diagnostics.wait_for(lambda each: frames_received(each) > 0)
    last_one(seen)
    assert stamps_of(seen) == STAMPS


def test_playback_waits_for_each_node_that_is_named(
    bag: Path, person: Person, package_path: str
) -> None:
    person.collect(Image, TOPIC, ALL)
    nodes = ('--node', '/person', '--node', 'robot1/second')
    with Player(package_path, bag, '--rate', '50', *nodes) as player:
        player.wait_for_log('waiting for /person and robot1/second to subscribe')
        wait_for_publisher(person)
        assert not [line for line in player.log if 'playing' in line]
        second = LoneNode('second', namespace='robot1')
        second.node.create_subscription(Image, TOPIC, print, ALL)
        assert player.wait() == 0
        second.close()


def test_playback_waits_for_a_number_of_subscriptions(
    bag: Path, person: Person, package_path: str
) -> None:
    with Player(package_path, bag, '--rate', '50', '--listeners', '1') as player:
        player.wait_for_log('waiting for 1 subscription')
        assert not [line for line in player.log if 'playing' in line]
        seen = person.collect(Image, TOPIC, ALL)
        assert player.wait() == 0
    last_one(seen)
    assert stamps_of(seen) == STAMPS


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting(bag: Path, package_path: str, number: signal.Signals) -> None:
    with Player(package_path, bag) as player:
        player.wait_for_log('waiting for')
        assert player.end(number) == 0
    assert not [line for line in player.log if 'Traceback' in line]


@pytest.mark.parametrize(
    ('arguments', 'code', 'words'),
    [
        (('--topic', '/cam'), 2, "no topic '/cam': choose one of its topics of pictures, /"),
        (('--topic', '/chatter'), 2, 'is of type std_msgs/msg/String, which holds no picture'),
        (('--from', '99'), 2, 'begin earlier'),
        (('--rate', '0'), 2, 'rate is 0: give one from 0.01 to 1000'),
        (('--speed', '2'), 2, 'No such option'),
    ],
)  # fmt: skip
def test_a_usage_error_gives_one_sentence(
    bag: Path, package_path: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    with Player(package_path, bag, *arguments) as player:
        assert player.wait() == code
    (line,) = [line for line in player.log if line.lower().startswith('error')]
    assert words in line
    assert not [line for line in player.log if 'Traceback' in line]


def test_a_cut_off_bag_is_played_up_to_the_cut(
    person: Person, package_path: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    frames = [image(rng.integers(0, 256, (600, 600, 3), np.uint8), at) for at in STAMPS[:4]]
    recorded = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: frames})
    (recorded / 'metadata.yaml').unlink()
    (file,) = recorded.glob('*.mcap')
    file.write_bytes(file.read_bytes()[:-1_500_000])
    seen = person.collect(Image, TOPIC, ALL)
    with Player(package_path, recorded, '--rate', '50', '--node', '/person') as player:
        player.wait_for_log('has no metadata.yaml')
        assert player.wait() == 0
    assert '2 images found, 2 played, 0 left out; bag.mcap is cut off' in player.log[-1]
    seen.wait_for(lambda _: len(seen) == 2)
    assert stamps_of(seen) == STAMPS[:2]


def test_a_listener_that_confirms_nothing_is_reported(bag: Path, package_path: str) -> None:
    code = (
        'import rclpy; from sensor_msgs.msg import Image; rclpy.init(); '
        'node = rclpy.create_node("stopped"); '
        f'node.create_subscription(Image, {TOPIC!r}, id, 10); '
        'rclpy.spin(node)'
    )
    arguments = ('--rate', '50', '--listeners', '1', '--loop')
    with (
        RunningProgram([sys.executable, '-c', code], {}) as listener,
        Player(package_path, bag, *arguments) as player,
    ):
        player.wait_for_log('again')
        assert not [line for line in player.log if 'WARN' in line]
        listener.process.send_signal(signal.SIGSTOP)
        try:
            line = player.wait_for_log('may have missed some')
        finally:
            listener.process.send_signal(signal.SIGCONT)
        assert 'WARN' in line
        assert f'a listener to {TOPIC} has not confirmed' in line
        assert player.end(signal.SIGTERM) == 0


def test_the_last_line_says_what_was_left_out(
    bag: Path, person: Person, package_path: str
) -> None:
    person.collect(Image, TOPIC, ALL)
    arguments = ('--from', '1', '--to', '1.45', '--rate', '50', '--node', '/person')
    with Player(package_path, bag, *arguments) as player:
        assert player.wait() == 0
    summary = '40 images found, 5 played, 35 left out (35 before or after the selected part)'
    assert summary in player.log[-1]


def test_an_invalid_or_damaged_bag_gives_one_sentence(bag: Path, package_path: str) -> None:
    with Player(package_path, bag / 'gone') as player:
        assert player.wait() == 2
    assert f'there is no bag {bag / "gone"}' in player.log[-1]
    (file,) = bag.glob('*.mcap')
    file.write_bytes(b'x' * 1000)
    with Player(package_path, bag, '--listeners', '0') as player:
        assert player.wait() == 1
    assert 'cannot be read as a bag' in player.log[-1]
