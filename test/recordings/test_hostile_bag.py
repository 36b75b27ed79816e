# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags that would take unlimited time to read are rejected first."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
import os
from pathlib import Path
import sqlite3
import tempfile

from edgetpu_retrain.errors import RecordingError
from edgetpu_retrain.recordings import hostile_bag, unpacking
from edgetpu_retrain.recordings.hostile_bag import check_bag
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag, picture_topics
import numpy as np
import pytest
from support.bags import image, photographs, write_bag

ENDLESS = """
    ALTER TABLE topics RENAME TO hidden;
    CREATE VIEW topics AS WITH RECURSIVE rows(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows)
    SELECT n AS id, 'x' AS name, 'x' AS type, 'cdr' AS serialization_format,
        '' AS offered_qos_profiles, '' AS type_description_hash FROM rows;
"""
COMPUTED = 'ALTER TABLE messages ADD COLUMN more BLOB AS (zeroblob(1000000000));'


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return write_bag(tmp_path / 'bag', 'sqlite3', {'/a': [image(photographs('cat', 1)[0])]})


def test_a_bag_of_a_recorder_passes(bag: Path) -> None:
    check_bag(bag)
    assert picture_topics(bag) == ('/a',)


@pytest.mark.parametrize(
    ('script', 'words'), [(ENDLESS, "computed table 'topics'"), (COMPUTED, 'computed columns')]
)
@pytest.mark.parametrize('whole_folder', [True, False])
def test_computed_tables_and_columns_are_rejected(
    bag: Path, script: str, words: str, whole_folder: bool
) -> None:
    (storage,) = bag.glob('*.db3')
    with closing(sqlite3.connect(storage)) as connection:
        connection.executescript(script)
    with pytest.raises(RecordingError, match=words):
        picture_topics(bag if whole_folder else storage)


def test_the_files_that_the_metadata_names_are_checked(bag: Path) -> None:
    (storage,) = bag.glob('*.db3')
    with closing(sqlite3.connect(storage)) as connection:
        connection.executescript(COMPUTED)
    storage.rename(bag / 'a.sqlite')
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace(storage.name, 'a.sqlite'))
    with pytest.raises(RecordingError, match='computed columns'):
        picture_topics(bag)


@pytest.mark.parametrize('whole_folder', [True, False])
def test_a_pipe_is_rejected(bag: Path, whole_folder: bool) -> None:
    (storage,) = bag.glob('*.db3')
    storage.unlink()
    os.mkfifo(storage)
    with pytest.raises(RecordingError, match='is no regular file'):
        picture_topics(bag if whole_folder else storage)


@pytest.mark.parametrize(
    ('storage', 'compression'),
    [
        ('sqlite3', 'file'),
        ('mcap', 'file'),
        ('sqlite3', 'message'),
        ('mcap', 'message'),
        ('mcap', 'storage'),
    ],
)
def test_unpacking_is_bounded_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str, compression: str
) -> None:
    scratch = tmp_path / 'scratch'
    scratch.mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(scratch))
    grey = image(np.zeros((1000, 1000, 3), np.uint8))
    path = write_bag(tmp_path / 'bag', storage, {'/a': [grey] * 3}, compression=compression)
    assert count_pictures(path) == 3
    monkeypatch.setattr(unpacking, 'SMALL_BYTES', 1_000_000)
    with pytest.raises(RecordingError, match=r'[0-9]+ bytes unpack to more than [0-9]+'):
        count_pictures(path)
    assert list(scratch.iterdir()) == []


def count_pictures(path: Path) -> int:
    with ImageBag(path, BagPart('/a')) as bag:
        return sum(1 for _ in bag)


def test_cut_off_compression_is_damage(tmp_path: Path) -> None:
    message = image(np.zeros((8, 8, 3), np.uint8))
    path = write_bag(tmp_path / 'bag', 'sqlite3', {'/a': [message]}, compression='message')
    (storage,) = path.glob('*.db3')
    with closing(sqlite3.connect(storage)) as connection, connection:
        connection.execute('UPDATE messages SET data = substr(data, 1, length(data) - 5)')
    with pytest.raises(RecordingError, match='compressed data is cut off'):
        count_pictures(path)


def test_aliases_of_aliases_are_rejected(bag: Path) -> None:
    lines = ['a: &a [x, x]']
    lines += [f'{after}: &{after} [*{name}, *{name}]' for name, after in pairwise('abcdefghi')]
    (bag / 'metadata.yaml').write_text('\n'.join(lines))
    with pytest.raises(RecordingError, match='repeats parts of itself'):
        picture_topics(bag)


def test_absurdly_long_metadata_is_rejected(bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile_bag, 'MAX_METADATA_BYTES', 100)
    with pytest.raises(RecordingError, match='at most 100'):
        picture_topics(bag)


@pytest.mark.parametrize('count', ['-1', '9223372036854775808', '"three"', '.nan', 'true'])
def test_metadata_with_impossible_counts_is_not_used(bag: Path, count: str) -> None:
    metadata = bag / 'metadata.yaml'
    text = metadata.read_text()
    metadata.write_text(text.replace('message_count: 1', f'message_count: {count}'))
    assert metadata.read_text() != text
    with ImageBag(bag, BagPart('/a')) as images:
        assert len(images) == sum(1 for _ in images) == images.tally.found == 1
        (note,) = images.notes
    assert 'its number of messages is' in note


@pytest.mark.parametrize('time', ['-1', "'x'", '1e300'])
def test_impossible_times_in_a_storage_raise_one_error(bag: Path, time: str) -> None:
    (storage,) = bag.glob('*.db3')
    with closing(sqlite3.connect(storage)) as connection, connection:
        connection.execute(f'UPDATE messages SET timestamp = {time}')
    with pytest.raises(RecordingError, match='cannot be read as a bag'):
        picture_topics(bag)
