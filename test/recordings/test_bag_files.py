# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags whose metadata.yaml is missing, damaged or wrong are read by their storage files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import re

from edgetpu_retrain.errors import RecordingError, RequestError
from edgetpu_retrain.recordings.bag_files import find_bag_files, is_bag
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag
import numpy as np
import pytest
from support.bags import image, STORAGES, write_bag

TOPIC = '/camera/image_raw'


@pytest.fixture(params=STORAGES)
def bag(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    rgb = np.zeros((4, 4, 3), np.uint8)
    return write_bag(tmp_path / 'bag', request.param, {TOPIC: [image(rgb)] * 3})


def notes_of(bag: Path, expected: int = 3) -> tuple[str, ...]:
    """Return what is said of a bag, after reading its images."""
    with ImageBag(bag, BagPart(TOPIC)) as images:
        assert len([each.read().whole for each in images]) == expected
        return images.notes


def edit(bag: Path, pattern: str, text: str) -> None:
    """Replace text in metadata.yaml."""
    metadata = bag / 'metadata.yaml'
    before = metadata.read_text()
    metadata.write_text(re.sub(pattern, text, before))
    assert metadata.read_text() != before


def test_a_recorded_bag_has_no_notes(bag: Path) -> None:
    assert is_bag(bag)
    assert notes_of(bag) == ()


def test_a_bag_without_metadata_is_a_bag(bag: Path) -> None:
    (bag / 'metadata.yaml').unlink()
    (bag / '._x.mcap').write_bytes(b'a hidden file of another system')
    assert is_bag(bag)
    (note,) = notes_of(bag)
    assert 'has no metadata.yaml' in note
    assert "'ros2 bag reindex'" in note


@pytest.mark.parametrize(
    ('damage', 'words'),
    [
        (lambda bag: (bag / 'metadata.yaml').write_bytes(b''), 'it is empty'),
        (lambda bag: (bag / 'metadata.yaml').write_bytes(b'\xff\xfe'), 'is not used'),
        (lambda bag: edit(bag, r'(?s)storage_identifier.*', 'x: [1'), 'is not used'),
        (lambda bag: edit(bag, 'version: 9', 'version: 12'), 'it has version 12, and this'),
        (lambda bag: edit(bag, r'bag\.(mcap|db3)', 'gone.db3'), 'lacks files that its'),
    ],
)
def test_damaged_and_later_metadata_is_not_needed(
    damage: Callable[[Path], object], words: str, bag: Path
) -> None:
    damage(bag)
    (note,) = notes_of(bag)
    assert words in note


@pytest.mark.parametrize('identifier', ["''", 'rosbag_v2', 'null', '7'])
def test_the_endings_name_the_storage(identifier: str, bag: Path) -> None:
    edit(bag, 'storage_identifier: .*', f'storage_identifier: {identifier}')
    assert notes_of(bag) == ()


def test_other_storages_and_compressions_are_named(bag: Path) -> None:
    (file,) = (each for each in bag.iterdir() if each.suffix in {'.mcap', '.db3'})
    edit(bag, "compression_format: ''", 'compression_format: lz5')
    with pytest.raises(RecordingError, match="compressed with 'lz5', and only zstd"):
        find_bag_files(bag)
    edit(bag, 'compression_format: lz5', "compression_format: ''")
    file.rename(bag / 'bag.bin')
    edit(bag, re.escape(file.name), 'bag.bin')
    edit(bag, 'storage_identifier: .*', 'storage_identifier: leveldb')
    with pytest.raises(RecordingError, match="storage 'leveldb', and only mcap and sqlite3"):
        find_bag_files(bag)
    (bag / 'bag.bin').unlink()
    with pytest.raises(RequestError, match='there are none'):
        find_bag_files(bag)


def test_files_that_metadata_does_not_name_are_reported(bag: Path) -> None:
    (bag / 'more.mcap').write_bytes(b'x')
    (note,) = notes_of(bag)
    assert note.startswith('more.mcap in ')


def test_the_parts_of_a_recording_are_read_in_the_order_of_their_times(tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    whole = tmp_path / 'whole'
    whole.mkdir()
    for index, storage in enumerate(['mcap', 'sqlite3', 'mcap']):
        frames = [image(rgb, stamp_ns=10 * index + n) for n in range(2)]
        part = write_bag(tmp_path / f'{index}', storage, {TOPIC: frames}, begin_s=5.0 * index)
        (file,) = (each for each in part.iterdir() if each.suffix in {'.mcap', '.db3'})
        # Names sort differently from times, as bag_10 and bag_9 do.
        file.rename(whole / f'{"cab"[index]}{file.suffix}')
    with ImageBag(whole, BagPart(TOPIC)) as images:
        assert [each.stamp_ns for each in images] == [0, 1, 10, 11, 20, 21]


def test_an_empty_file_is_reported(bag: Path) -> None:
    (bag / 'metadata.yaml').unlink()
    (bag / 'next.mcap').touch()
    _, note = notes_of(bag)
    assert note.endswith('next.mcap is empty: nothing was recorded into it')


def test_compressed_files_are_opened(tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    for storage in STORAGES:
        bag = write_bag(tmp_path / storage, storage, {TOPIC: [image(rgb)] * 3}, compression='file')
        (file,) = bag.glob('*.zstd')
        assert is_bag(file)
        assert notes_of(file) == ()
        (bag / 'metadata.yaml').unlink()
        assert len(notes_of(bag)) == 1


@pytest.mark.parametrize('storage', STORAGES)
def test_compressed_messages_are_read_without_metadata(storage: str, tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    bag = write_bag(tmp_path / 'bag', storage, {TOPIC: [image(rgb)] * 3}, compression='message')
    (bag / 'metadata.yaml').unlink()
    assert len(notes_of(bag)) == 1
