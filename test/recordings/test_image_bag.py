# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3
from typing import Any

from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
from edgetpu_retrain.recordings.bag_files import is_bag
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag
import numpy as np
import pytest
from support.bags import (
    BEGIN,
    compressed_image,
    image,
    photographs,
    png,
    SECOND,
    STORAGES,
    text,
    TYPES,
    write_bag,
)

TOPIC = '/camera/image_raw'


def names_and_times(bag: Path, part: BagPart) -> list[float]:
    with ImageBag(bag, part) as images:
        return [float(each.name.split(' at ')[1].removesuffix(' s')) for each in images]


@pytest.mark.parametrize('storage', STORAGES)
def test_raw_and_compressed_images_are_read_unchanged(storage: str, tmp_path: Path) -> None:
    pictures = photographs('cat', 3)
    bag = write_bag(
        tmp_path / 'bag',
        storage,
        {
            TOPIC: [image(rgb, BEGIN + index) for index, rgb in enumerate(pictures)],
            f'{TOPIC}/compressed': [compressed_image(png(rgb)) for rgb in pictures],
            '/chatter': [text('hello')],
        },
    )
    assert is_bag(bag)
    for topic in (TOPIC, f'{TOPIC}/compressed'):
        with ImageBag(bag, BagPart(topic), 'cat') as images:
            assert len(images) == 3
            found = list(images)
        assert [each.label for each in found] == ['cat'] * 3
        assert {each.camera for each in found} == {topic}
        for each, rgb in zip(found, pictures, strict=True):
            assert np.array_equal(each.read().whole, rgb)
        if topic == TOPIC:
            assert [each.stamp_ns for each in found] == [BEGIN, BEGIN + 1, BEGIN + 2]


@pytest.mark.parametrize(('storage', 'suffix'), [('mcap', '.mcap'), ('sqlite3', '.db3')])
def test_a_storage_file_alone_will_do(storage: str, suffix: str, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(photographs('cat', 1)[0])]})
    (file,) = bag.glob(f'*{suffix}')
    assert is_bag(file)
    assert names_and_times(file, BagPart(TOPIC)) == [0.0]


@pytest.mark.parametrize('storage', STORAGES)
def test_a_part_of_a_bag(storage: str, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)] * 20}, every_s=0.5)
    assert names_and_times(bag, BagPart(TOPIC, 2.0, 4.0)) == [2.0, 2.5, 3.0, 3.5]
    assert names_and_times(bag, BagPart(TOPIC, every_s=3.0)) == [0.0, 3.0, 6.0, 9.0]
    assert names_and_times(bag, BagPart(TOPIC, 1.0, 9.0, 4.0)) == [1.0, 5.0]
    with pytest.raises(RequestError, match=r'9\.5 s long'):
        ImageBag(bag, BagPart(TOPIC, 60.0))


@pytest.mark.parametrize('to_s', [9_999_999_999.0, 1e300])
@pytest.mark.parametrize('storage', STORAGES)
def test_a_part_may_end_long_after_the_bag(storage: str, to_s: float, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)] * 3}, every_s=1.0)
    assert names_and_times(bag, BagPart(TOPIC, 1.0, to_s)) == [1.0, 2.0]


@pytest.mark.parametrize('storage', STORAGES)
@pytest.mark.parametrize('name', ['run #1', 'what?', 'cups%20', '100 %'])
def test_a_folder_may_have_any_name(storage: str, name: str, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)]}).rename(tmp_path / name)
    assert names_and_times(bag, BagPart(TOPIC)) == [0.0]


@pytest.mark.parametrize('times', [(-1.0, 5.0, 0.0), (2.0, 2.0, 0.0), (0.0, 1.0, float('nan'))])
def test_invalid_parts_are_rejected(times: tuple[float, float, float]) -> None:
    with pytest.raises(RequestError):
        BagPart(TOPIC, *times)


@pytest.mark.parametrize('storage', STORAGES)
def test_a_wrong_topic_names_the_right_ones(storage: str, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)], '/chatter': [text('a')]})
    with pytest.raises(RequestError, match=rf"no topic '/x'.*{TOPIC} \(sensor_msgs/msg/Image\)"):
        ImageBag(bag, BagPart('/x'))
    with pytest.raises(RequestError, match=rf'no topic was given.*{TOPIC}'):
        ImageBag(bag, BagPart(''))
    with pytest.raises(RequestError, match=rf'std_msgs/msg/String.*no picture.*{TOPIC}'):
        ImageBag(bag, BagPart('/chatter'))
    silent = write_bag(tmp_path / 'silent', storage, {'/chatter': [text('a')]})
    with pytest.raises(RequestError, match=r'another bag.*has no pictures, only /chatter'):
        ImageBag(silent, BagPart(TOPIC))


def broken(kind: str) -> Any:
    """Return an invalid message."""
    rgb = np.zeros((8, 8, 3), np.uint8)
    if kind == 'cut off':
        return bytes(TYPES.serialize_cdr(image(rgb), 'sensor_msgs/msg/Image'))[:40]
    message = image(rgb)
    message.step, message.encoding = (1, 'bgr8') if kind == 'contradiction' else (24, 'h264')
    return message


@pytest.mark.parametrize('kind', ['cut off', 'contradiction', 'unheard of'])
def test_one_broken_message_is_an_error_only_when_it_is_read(kind: str, tmp_path: Path) -> None:
    good = image(photographs('cat', 1)[0])
    bag = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: [good, broken(kind), good]})
    with ImageBag(bag, BagPart(TOPIC)) as images:
        first, second, third = images
    for each in (first, third):
        np.testing.assert_array_equal(each.read().whole, photographs('cat', 1)[0])
    with pytest.raises(ImageError):
        _ = second.read().whole


def test_a_damaged_bag_raises_one_error(tmp_path: Path) -> None:
    frames = [image(rgb) for rgb in photographs('cat', 4)]
    bag = write_bag(tmp_path / 'bag', 'sqlite3', {TOPIC: frames})
    (file,) = bag.glob('*.db3')
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    def read_all() -> None:
        with ImageBag(bag, BagPart(TOPIC)) as images:
            for each in images:
                each.read()

    with pytest.raises(RecordingError, match=r'sqlite3 FILE \.dump'):
        read_all()


@pytest.mark.parametrize('storage', STORAGES)
def test_a_tally_counts_what_is_left_out_and_why(storage: str, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)] * 20}, every_s=0.5)
    with ImageBag(bag, BagPart(TOPIC, 1.0, 5.0, 2.0)) as images:
        for _ in range(2):
            assert sum(1 for _ in images) == 2
            tally = images.tally
            assert (tally.found, tally.used) == (20, 2)
            assert tally.left_out == {
                'before or after the selected part': 12,
                'between the selected images': 6,
                'not in the files': 0,
            }


@pytest.mark.parametrize('storage', STORAGES)
def test_messages_that_only_metadata_counts_are_missed(storage: str, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)] * 3})
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('message_count: 3', 'message_count: 5'))
    with ImageBag(bag, BagPart(TOPIC)) as images:
        assert len(list(images)) == 3
        assert (images.tally.found, images.tally.used) == (5, 3)
        assert images.tally.left_out['not in the files'] == 2


def test_types_without_the_middle_are_the_same(tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', 'sqlite3', {TOPIC: [image(rgb)] * 3})
    (file,) = bag.glob('*.db3')
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE topics SET type = 'sensor_msgs/Image'")
    with ImageBag(bag, BagPart(TOPIC)) as images:
        assert images.message_type == 'sensor_msgs/msg/Image'
        assert len([each.read().whole for each in images]) == 3


@pytest.mark.parametrize('storage', STORAGES)
def test_connections_with_another_qos_are_read(storage: str, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)] * 3})
    metadata = bag / 'metadata.yaml'
    text = metadata.read_text()
    qos = (
        '[{history: 1, depth: 10, reliability: 2, durability: 2, deadline: {sec: 0, nsec: 0}, '
        'lifespan: {sec: 0, nsec: 0}, liveliness: 1, liveliness_lease_duration: {sec: 0, nsec: 0}'
        ', avoid_ros_namespace_conventions: false}]'
    )
    metadata.write_text(text.replace('offered_qos_profiles: []', f'offered_qos_profiles: {qos}'))
    assert metadata.read_text() != text
    with ImageBag(bag, BagPart(TOPIC)) as images:
        assert len(list(images)) == images.tally.used == 3


def test_other_files_than_bags_are_rejected(tmp_path: Path) -> None:
    assert not is_bag(tmp_path)
    with pytest.raises(RequestError, match='there is no bag'):
        ImageBag(tmp_path / 'nowhere', BagPart(TOPIC))
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0')
    with pytest.raises(RequestError, match='ROS 1'):
        ImageBag(tmp_path / 'old.bag', BagPart(TOPIC))
    for name in ('x.mcap', 'x.db3', 'x.mcap.zstd', 'x.db3.zstd'):
        (tmp_path / name).write_bytes(b'hello')
        with pytest.raises(RecordingError, match=r'cannot be (read as a bag|unpacked)'):
            ImageBag(tmp_path / name, BagPart(TOPIC))
    assert SECOND == 10**9
