# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that a power loss cut off, and files of other programs."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from pathlib import Path
import struct
import tracemalloc

from edgetpu_retrain.errors import RecordingError, RequestError
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag, picture_topics
import numpy as np
import pytest
from support.bags import image, write_bag

TOPIC = '/camera/image_raw'
SCHEMA, CHANNEL, CHUNK, CHUNK_INDEX, STATISTICS = 0x03, 0x04, 0x06, 0x08, 0x0B


def records(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Generate operation, begin and end of each complete record of a file."""
    begin = 8
    while begin + 9 <= len(content):
        (length,) = struct.unpack_from('<Q', content, begin + 1)
        yield content[begin], begin, begin + 9 + length
        begin += 9 + length


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of four chunks with an image each."""
    rng = np.random.default_rng(0)
    frames = [image(rng.integers(0, 256, (600, 600, 3), np.uint8)) for _ in range(4)]
    bag = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: frames})
    (file,) = bag.glob('*.mcap')
    assert sum(each[0] == CHUNK for each in records(file.read_bytes())) == 4
    return file


def read(path: Path) -> tuple[list[float], str]:
    """Return the times of the images, and what is said to be lost."""
    with ImageBag(path, BagPart(TOPIC)) as images:
        times = [each.seconds for each in images.messages()]
        assert len(times) == len(images) == images.tally.found
        return times, images.loss


def test_a_complete_file_has_no_loss(file: Path) -> None:
    assert read(file) == ([0.0, 0.1, 0.2, 0.3], '')


def test_a_file_is_read_up_to_the_cut(file: Path) -> None:
    content = file.read_bytes()
    chunks = [(begin, end) for operation, begin, end in records(content) if operation == CHUNK]
    for kept, (begin, end) in enumerate(chunks[1:], 1):
        cut = (begin + end) // 2
        file.write_bytes(content[:cut])
        times, loss = read(file)
        assert times == [0.1 * number for number in range(kept)]
        assert f'read up to byte {begin} of {cut}, and at least {end - begin} bytes' in loss
        assert "'mcap recover'" in loss
    # The record of the metadata is the last one before the index, and the images are complete.
    file.write_bytes(content[:-10])
    times, loss = read(file)
    assert len(times) == 4
    assert 'no message is lost' in loss


def test_a_file_that_ends_after_a_record_has_lost_what_came_then(file: Path) -> None:
    content = file.read_bytes()
    _, _, end = [each for each in records(content) if each[0] == CHUNK][1]
    file.write_bytes(content[:end])
    times, loss = read(file)
    assert times == [0.0, 0.1]
    assert 'bag.mcap ends without its index: what came after it is lost' in loss


def test_chunks_without_an_index_of_their_messages_are_read(file: Path) -> None:
    content = file.read_bytes()
    (begin,) = struct.unpack_from('<Q', content, len(content) - 28)
    summary = []
    for operation, start, end in records(content):
        record = content[start:end]
        if operation == CHUNK_INDEX:
            (length,) = struct.unpack_from('<I', record, 41)
            rest = 45 + length + 8
            body = record[9:41] + bytes(4 + 8) + record[rest:]
            record = bytes([CHUNK_INDEX]) + struct.pack('<Q', len(body)) + body
        if start >= begin and operation in (SCHEMA, CHANNEL, CHUNK_INDEX, STATISTICS):
            summary.append(record)
    file.write_bytes(b''.join([content[:begin], *summary, content[-37:]]))
    assert read(file) == ([0.0, 0.1, 0.2, 0.3], '')


def test_a_file_of_another_program_may_have_no_profile(file: Path) -> None:
    content = file.read_bytes()
    (length,) = struct.unpack_from('<Q', content, 9)
    assert content[17:25] == b'\4\0\0\0ros2'
    file.write_bytes(content[:9] + struct.pack('<Q', length - 4) + bytes(4) + content[25:])
    assert read(file) == ([0.0, 0.1, 0.2, 0.3], '')


def test_every_cut_gives_images_or_one_error(file: Path) -> None:
    content = file.read_bytes()
    cuts = {each for _, begin, end in records(content) for each in (begin, begin + 5, end - 1)}
    cuts |= set(range(60))
    numbers = []
    for cut in sorted(each for each in cuts if each <= len(content)):
        file.write_bytes(content[:cut])
        try:
            numbers.append(len(read(file)[0]))
        except (RecordingError, RequestError):
            numbers.append(0)
    assert numbers == sorted(numbers)
    assert set(numbers) == {0, 1, 2, 3, 4}


def test_what_was_never_written_is_no_content(file: Path) -> None:
    content = file.read_bytes()
    begin = [each[1] for each in records(content) if each[0] == CHUNK][2]
    head = content[begin:][:9]
    for rest in (bytes(10_000), head + b'x' * (len(content) - begin)):
        file.write_bytes(content[:begin] + rest)
        times, loss = read(file)
        assert times == [0.0, 0.1]
        assert f'read up to byte {begin} of' in loss


def test_a_cut_compressed_file_is_read_up_to_the_cut(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [image(rng.integers(0, 256, (600, 600, 3), np.uint8)) for _ in range(4)]
    bag = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: frames}, compression='file')
    (file,) = bag.glob('*.zstd')
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    times, loss = read(file)
    assert 1 <= len(times) < 4
    assert 'is cut off' in loss


def test_a_damaged_chunk_in_the_middle_stops_reading(file: Path) -> None:
    content = bytearray(file.read_bytes())
    begin = [each[1] for each in records(bytes(content)) if each[0] == CHUNK][2]
    # The length of the first record in the chunk.
    struct.pack_into('<Q', content, begin + 50, 2**62)
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=r"damaged after 2 images .*'mcap recover'"):
        read(file)


@pytest.mark.parametrize(
    ('profile', 'words'),
    [(b'ros1', 'a recording of ROS 1'), (b'px4!', "MCAP profile is 'px4!'")],
)
def test_other_profiles_are_named(profile: bytes, words: str, file: Path) -> None:
    content = file.read_bytes()
    assert content[21:25] == b'ros2'
    file.write_bytes(content[:21] + profile + content[25:])
    with pytest.raises(RecordingError, match=words) as caught:
        picture_topics(file)
    assert 'reindex' not in str(caught.value)


@pytest.mark.parametrize('cut', [False, True])
def test_another_serialization_is_named(cut: bool, file: Path) -> None:
    content = file.read_bytes().replace(b'\x03\0\0\0cdr', b'\x03\0\0\0xml')
    file.write_bytes(content[:-10] if cut else content)
    with pytest.raises(RequestError, match='serialized as xml, and only cdr is read'):
        read(file)
    assert picture_topics(file) == ()


def test_unknown_definitions_do_not_make_a_file_unreadable(file: Path) -> None:
    content = file.read_bytes()
    assert b'\x07\0\0\0ros2msg' in content
    file.write_bytes(content.replace(b'\x07\0\0\0ros2msg', b'\x07\0\0\0unknown'))
    assert len(read(file)[0]) == 4


def test_a_length_beyond_the_file_allocates_nothing(file: Path) -> None:
    content = file.read_bytes()
    begin = next(each[1] for each in records(content) if each[0] == CHUNK)
    # A header of two gigabytes, and a name in it of as many.
    head = content[:9] + struct.pack('<QI', 2**31, 2**31 - 8)
    for damaged in (head, content[:begin] + b'\x05' + struct.pack('<Q', 2**31) + content[-37:]):
        file.write_bytes(damaged)
        tracemalloc.start()
        with contextlib.suppress(RecordingError, RequestError):
            read(file)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**27


def test_messages_without_an_index_may_be_in_any_order(tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    early = write_bag(tmp_path / 'early', 'mcap', {TOPIC: [image(rgb)] * 2})
    late = write_bag(tmp_path / 'late', 'mcap', {TOPIC: [image(rgb)]}, begin_s=9.0)
    (first,) = late.glob('*.mcap')
    (second,) = early.glob('*.mcap')
    both = first.read_bytes()
    begin, end = next(each[1:] for each in records(second.read_bytes()) if each[0] == CHUNK)
    cut = next(each[2] for each in records(both) if each[0] == CHUNK)
    joined = tmp_path / 'joined.mcap'
    joined.write_bytes(both[:cut] + second.read_bytes()[begin:end])
    times, _ = read(joined)
    assert sorted(times) == pytest.approx([0.0, 0.1, 9.0])


def test_a_packed_file_that_is_cut_off_at_once_is_reported(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', 'mcap', {TOPIC: [image(pixels)]}, compression='file')
    (file,) = bag.glob('*.zstd')
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(RecordingError, match='is cut off, and nothing of it can be unpacked'):
        read(file)
