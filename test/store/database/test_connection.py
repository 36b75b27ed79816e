# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
import os
from pathlib import Path
import shutil
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database import schema as sample_schema
from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64

# Prints the id of each sample after it was stored, until it is killed.
ENDLESS_TEACHER = """
import sys
from pathlib import Path
import numpy as np
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
store = SampleStore(Path(sys.argv[1]))
while True:
    sample = Sample('mug', {'a' * 64: np.full(1280, 0.5, np.float32)})
    print(*store.add([sample], {'a' * 64: None}), flush=True)
"""


def teach(store: SampleStore) -> int:
    row = np.full(1280, 0.5, np.float32)
    return add_sample(store, 'mug', row, extractor=EXTRACTOR, quantization=None)


def durability(store: SampleStore) -> tuple[str, int]:
    """Return journal mode and synchronous (2 = FULL) of the connection that writes samples."""
    with store._database.transaction('read the settings of') as connection:
        (mode,) = connection.execute('PRAGMA journal_mode').fetchone()
        (synchronous,) = connection.execute('PRAGMA synchronous').fetchone()
    return mode, synchronous


def test_the_live_connection_is_durable(path: Path) -> None:
    with SampleStore(path) as store:
        teach(store)
        assert durability(store) == ('wal', 2)


def test_a_reopened_store_is_durable_too(path: Path) -> None:
    SampleStore(path).close()
    with SampleStore(path) as store:
        assert durability(store) == ('wal', 2)


@pytest.mark.parametrize('acknowledged', [1, 7, 60])
def test_acknowledged_data_survives_a_kill(
    acknowledged: int, path: Path, run_and_kill: Callable[[str, Path, int], list[int]]
) -> None:
    ids = run_and_kill(ENDLESS_TEACHER, path, acknowledged)
    assert ids == list(range(1, len(ids) + 1))
    with SampleStore(path) as store:
        # One more may have reached the disk before it could be acknowledged.
        assert store.counts(extractor=EXTRACTOR)['mug'] in {len(ids), len(ids) + 1}
        assert np.all(store.training_set(extractor=EXTRACTOR).embeddings == 0.5)
        teach(store)


def test_the_file_has_version_and_application_id(path: Path) -> None:
    SampleStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute('PRAGMA user_version').fetchone() == (5,)
        application = connection.execute('PRAGMA application_id').fetchone()[0]
    assert application.to_bytes(4, 'big') == b'etrS'


def test_the_folder_is_created(tmp_path: Path) -> None:
    with SampleStore(tmp_path / 'new' / 'folder' / 'samples.db') as store:
        assert teach(store) == 1


def test_an_empty_file_left_by_a_kill_during_creation_is_used(path: Path) -> None:
    path.touch()
    with SampleStore(path) as store:
        assert teach(store) == 1


def _newer(path: Path) -> None:
    with SampleStore(path) as store:
        teach(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('PRAGMA user_version=99')


def _of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('CREATE TABLE samples (name TEXT)')


def _not_a_database(path: Path) -> None:
    path.write_bytes(b'label,camera\n' * 1000)


def _of_no_schema(path: Path) -> None:
    _newer(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('PRAGMA user_version=0')


def _without_a_table(path: Path) -> None:
    SampleStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('DROP TABLE embeddings')
        connection.execute("INSERT INTO extractors VALUES (1, ?, 4, 'uint8', 1, 0)", ['a' * 64])
        connection.commit()


def _cut_short(path: Path) -> None:
    with SampleStore(path) as store:
        for _ in range(20):
            teach(store)
    os.truncate(path, 8000)


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (_newer, 'newer release .schema 99.*nothing was changed'),
        (_of_another_program, 'another program.*nothing was changed'),
        (_not_a_database, 'file is not a database'),
        (_of_no_schema, 'schema is 0, which never was'),
        (_without_a_table, 'no such table: embeddings'),
        (_cut_short, 'malformed'),
    ],
)
def test_a_foreign_or_damaged_file_is_rejected_unchanged(
    make: Callable[[Path], None], words: str, path: Path
) -> None:
    make(path)
    before = path.read_bytes()
    with (
        pytest.raises(StoreError, match=f'{path}.*{words}.*What to do'),
        SampleStore(path) as store,
    ):
        store.training_set(extractor=EXTRACTOR)
    assert path.read_bytes() == before


def test_a_newer_file_with_a_log_is_rejected_unchanged(path: Path, tmp_path: Path) -> None:
    _newer(path)
    crashed = tmp_path / 'crashed.db'
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO samples VALUES (99, 'mug', '', 0, 99, 0, '')")
        connection.commit()
        shutil.copy(path, crashed)
        shutil.copy(f'{path}-wal', f'{crashed}-wal')
    before = crashed.read_bytes(), Path(f'{crashed}-wal').read_bytes()
    assert before[1]
    with pytest.raises(StoreError, match='newer release'):
        SampleStore(crashed)
    assert (crashed.read_bytes(), Path(f'{crashed}-wal').read_bytes()) == before


def test_a_disk_without_write_ahead_log_is_rejected(path: Path) -> None:
    with closing(sqlite3.connect(':memory:', isolation_level=None)) as connection:
        words = f"{path} cannot have a write-ahead log .SQLite offers 'memory'.*What to do: "
        with pytest.raises(StoreError, match=words):
            sample_schema._make_durable(connection, path)


def test_opening_a_locked_file_raises_store_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', 0.0)
    with closing(sqlite3.connect(path)) as other:
        other.execute('BEGIN EXCLUSIVE')
        with pytest.raises(StoreError, match=f'open the samples in {path}.*another program'):
            SampleStore(path)


def test_writing_to_a_locked_file_raises_store_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', 0.0)
    with SampleStore(path) as store, closing(sqlite3.connect(path)) as other:
        teach(store)
        other.execute('BEGIN IMMEDIATE')
        with pytest.raises(StoreError, match=r'is locked\. What to do: another program holds it'):
            teach(store)
        assert store.counts(extractor=EXTRACTOR) == {'mug': 1}, 'reading goes on'
        other.rollback()
        teach(store)
        assert store.counts(extractor=EXTRACTOR) == {'mug': 2}


def test_a_full_disk_loses_nothing_that_was_acknowledged(
    path: Path, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    acknowledged: list[int] = []
    words = rf'store a sample in {path}: .*not full\.'
    with SampleStore(path) as store:
        with file_size_limit(200_000):
            with pytest.raises(StoreError, match=words):
                acknowledged.extend(teach(store) for _ in range(1000))
            assert acknowledged
            assert store.counts(extractor=EXTRACTOR) == {'mug': len(acknowledged)}
        teach(store)
        assert store.counts(extractor=EXTRACTOR) == {'mug': len(acknowledged) + 1}
    with SampleStore(path) as store:
        assert store.counts(extractor=EXTRACTOR) == {'mug': len(acknowledged) + 1}


def test_a_read_only_folder_raises_store_error(
    path: Path, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with (
        read_only(path.parent),
        pytest.raises(StoreError, match=f'open the samples in {path}: .*write permission'),
    ):
        SampleStore(path)
    with SampleStore(path) as store:
        teach(store)
    with (
        read_only(path.parent),
        pytest.raises(StoreError, match=f'Cannot .* {path}: .*write permission'),
    ):
        SampleStore(path)
    with SampleStore(path) as store:
        assert store.counts(extractor=EXTRACTOR) == {'mug': 1}


def test_a_folder_that_cannot_be_flushed_raises_store_error(
    path: Path, unlisted: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with (
        unlisted(path.parent),
        pytest.raises(StoreError, match=f'open the samples in {path}: .*permission'),
    ):
        SampleStore(path)
    with SampleStore(path) as store:
        teach(store)


@pytest.mark.parametrize('place', ['/proc/no/such/samples.db', '{tmp}/file/samples.db', '{tmp}'])
def test_an_impossible_path_raises_store_error(place: str, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    path = Path(place.format(tmp=tmp_path))
    with pytest.raises(StoreError, match=f'Cannot open the samples in {path}: .*What to do: '):
        SampleStore(path)
