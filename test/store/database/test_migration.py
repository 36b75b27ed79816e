# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
import re
import signal
import sqlite3
import subprocess
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.database import migration as sample_migration
from edgetpu_retrain.store.database import schema as sample_schema
from edgetpu_retrain.store.questions.question_store import QuestionStore
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

EXTRACTOR = 'a' * 64

# The tables of the first release, without comments.
SCHEMA_1 = """
    PRAGMA journal_mode=WAL;
    CREATE TABLE extractors (
        id INTEGER PRIMARY KEY,
        identity TEXT NOT NULL UNIQUE,
        dimension INTEGER NOT NULL,
        dtype TEXT NOT NULL,
        scale REAL,
        zero_point INTEGER
    ) STRICT;
    CREATE TABLE samples (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL,
        camera TEXT NOT NULL,
        stamp_ns INTEGER NOT NULL,
        addition INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE embeddings (
        extractor_id INTEGER NOT NULL REFERENCES extractors (id),
        sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
        data BLOB NOT NULL,
        PRIMARY KEY (extractor_id, sample_id)
    ) STRICT;
    CREATE INDEX embeddings_of_sample ON embeddings (sample_id);
    CREATE TABLE images (
        sample_id INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE,
        jpeg BLOB NOT NULL
    ) STRICT;
    PRAGMA application_id=1702130259;
    PRAGMA user_version=1;
"""

# What made of it the tables of the second schema, the last one without a journal.
SCHEMA_2 = """
    ALTER TABLE samples ADD COLUMN added_ns INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX samples_of_label ON samples (label);
    PRAGMA user_version=2;
"""

# What made of it the tables of the third schema, the last one without recordings.
SCHEMA_3 = """
    CREATE TABLE changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        made_ns INTEGER NOT NULL,
        addition INTEGER NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE changed_samples (
        change_id INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
        sample_id INTEGER NOT NULL,
        old_label TEXT NOT NULL,
        new_label TEXT NOT NULL,
        PRIMARY KEY (change_id, sample_id)
    ) STRICT;
    CREATE INDEX changes_of_sample ON changed_samples (sample_id);
    CREATE TABLE removed_samples (
        id INTEGER PRIMARY KEY,
        label TEXT NOT NULL,
        camera TEXT NOT NULL,
        stamp_ns INTEGER NOT NULL,
        addition INTEGER NOT NULL,
        added_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE removed_embeddings (
        extractor_id INTEGER NOT NULL REFERENCES extractors (id),
        sample_id INTEGER NOT NULL REFERENCES removed_samples (id) ON DELETE CASCADE,
        data BLOB NOT NULL,
        PRIMARY KEY (sample_id, extractor_id)
    ) STRICT;
    CREATE TABLE removed_images (
        sample_id INTEGER PRIMARY KEY REFERENCES removed_samples (id) ON DELETE CASCADE,
        jpeg BLOB NOT NULL
    ) STRICT;
    PRAGMA user_version=3;
"""

# The fourth schema, likewise.
SCHEMA_4 = """
    ALTER TABLE samples ADD COLUMN recording TEXT NOT NULL DEFAULT '';
    ALTER TABLE removed_samples ADD COLUMN recording TEXT NOT NULL DEFAULT '';
    PRAGMA user_version=4;
"""

# Removes the newest sample of the third schema.
REMOVAL = """
    INSERT INTO removed_samples SELECT * FROM samples WHERE id = 300;
    INSERT INTO removed_embeddings SELECT * FROM embeddings WHERE sample_id = 300;
    DELETE FROM embeddings WHERE sample_id = 300;
    DELETE FROM samples WHERE id = 300;
    INSERT INTO changes (kind, made_ns, addition) VALUES ('remove', 4102444800000000000, 0);
    INSERT INTO changed_samples VALUES (1, 300, 'mug', '');
"""

# Opens the samples, and kills itself at the moment named by the second argument.
KILLED_MIGRATION = """
import os, signal, sys
from pathlib import Path
from edgetpu_retrain.store.database import migration as sample_migration, schema as sample_schema
from edgetpu_retrain.store.samples.sample_store import SampleStore

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def die_half_way(connection, version):
    sample_migration.migrate(connection, version)
    die()

if sys.argv[2] == 'copying':
    os.fsync = die
elif sys.argv[2] == 'copied':
    sample_schema.migrate = die
else:
    sample_schema.migrate = die_half_way
SampleStore(Path(sys.argv[1]))
"""


@pytest.fixture
def old(path: Path) -> Path:
    """Return a database of the first release, 300 samples of 'mug' and 1 of 'unknown'."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_1)
        connection.execute("INSERT INTO extractors VALUES (1, ?, 8, 'uint8', 0.5, 3)", [EXTRACTOR])
        for number in range(1, 302):
            label = 'mug' if number < 301 else 'unknown'
            connection.execute(
                "INSERT INTO samples VALUES (?, ?, 'front', ?, 1)", (number, label, number * 10)
            )
            data = np.full(8, number % 256, np.uint8).tobytes()
            connection.execute('INSERT INTO embeddings VALUES (1, ?, ?)', (number, data))
        connection.commit()
    return path


@pytest.fixture
def second(old: Path) -> Path:
    """Return the same database with the second schema."""
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(SCHEMA_2)
    return old


@pytest.fixture
def third(second: Path) -> Path:
    """Return the same database with the third schema, after the removal of a sample."""
    with closing(sqlite3.connect(second)) as connection:
        connection.executescript(SCHEMA_3 + REMOVAL)
    return second


@pytest.fixture
def fourth(third: Path) -> Path:
    """Return the same database with the fourth schema."""
    with closing(sqlite3.connect(third)) as connection:
        connection.executescript(SCHEMA_4)
    return third


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob('samples.schema-*.db'))


def check_old_content(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute('PRAGMA user_version').fetchone() == (1,)
        assert connection.execute('PRAGMA integrity_check').fetchone() == ('ok',)
        assert connection.execute('SELECT COUNT(*) FROM embeddings').fetchone() == (301,)
        columns = connection.execute('SELECT * FROM samples').description
    assert [column[0] for column in columns] == ['id', 'label', 'camera', 'stamp_ns', 'addition']


def shape(path: Path) -> list[object]:
    """Return tables, columns and indexes, independent of the text of their declarations."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            'SELECT type, name, tbl_name FROM sqlite_master ORDER BY name'
        ).fetchall()
        return [
            (*described, connection.execute(f'PRAGMA {kind}_xinfo({name})').fetchall())
            for described in names
            for kind, name in [described[:2]]
        ]


def test_the_samples_of_the_first_release_are_migrated(old: Path) -> None:
    with SampleStore(old) as store:
        assert store.counts(extractor=EXTRACTOR) == {'mug': 300, 'unknown': 1}
        samples = store.training_set(extractor=EXTRACTOR)
        assert samples.embeddings[:, 0].tolist() == [number % 256 for number in range(1, 302)]
        (sample,) = store.list_samples('mug', 1, extractor=EXTRACTOR)
        assert (sample.sample_id, sample.camera, sample.stamp_ns) == (300, 'front', 3000)
        assert sample.added_ns == 0
        with store._database.transaction('read the settings of') as connection:
            assert connection.execute('PRAGMA journal_mode').fetchone() == ('wal',)
            assert connection.execute('PRAGMA synchronous').fetchone() == (2,)
        added = add_sample(
            store,
            'hat',
            np.zeros(8, np.uint8),
            extractor=EXTRACTOR,
            quantization=QuantizationParameters(0.5, 3),
        )
        assert added == 302


def test_a_migrated_database_is_like_a_new_one(old: Path, tmp_path: Path) -> None:
    SampleStore(old).close()
    SampleStore(tmp_path / 'new.db').close()
    assert shape(old) == shape(tmp_path / 'new.db')


def test_samples_without_a_journal_are_migrated(second: Path, tmp_path: Path) -> None:
    with SampleStore(second) as store:
        assert store.counts(extractor=EXTRACTOR) == {'mug': 300, 'unknown': 1}
        assert store.undo() is None
        assert store.remove('mug', 0, extractor=EXTRACTOR) == 300
        assert store.counts(extractor=EXTRACTOR) == {'unknown': 1}
        assert str(store.undo()) == "the removal of 300 samples of 'mug'"
        samples = store.training_set(extractor=EXTRACTOR)
        assert samples.embeddings[:, 0].tolist() == [number % 256 for number in range(1, 302)]
    (copy,) = copies(second)
    assert copy.name.startswith('samples.schema-2.')
    SampleStore(tmp_path / 'new.db').close()
    assert shape(second) == shape(tmp_path / 'new.db')


def test_samples_without_recordings_are_migrated(third: Path, tmp_path: Path) -> None:
    with SampleStore(third) as store:
        assert str(store.undo()) == "the removal of 1 sample of 'mug'"
        listed = store.list_samples(extractor=EXTRACTOR)
        assert [each.sample_id for each in reversed(listed)] == list(range(1, 302))
        assert {each.recording for each in listed} == {''}
        # One recording of each class: samples of one are those of the same number and class.
        assert set(store.training_set(extractor=EXTRACTOR).recordings.tolist()) == {0}
    (copy,) = copies(third)
    assert copy.name.startswith('samples.schema-3.')
    SampleStore(tmp_path / 'new.db').close()
    assert shape(third) == shape(tmp_path / 'new.db')


def test_samples_without_questions_are_migrated(fourth: Path, tmp_path: Path) -> None:
    with SampleStore(fourth) as store:
        assert QuestionStore(store).count(extractor=EXTRACTOR) == 0
        assert str(store.undo()) == "the removal of 1 sample of 'mug'"
        assert store.counts(extractor=EXTRACTOR) == {'mug': 300, 'unknown': 1}
    (copy,) = copies(fourth)
    assert copy.name.startswith('samples.schema-4.')
    SampleStore(tmp_path / 'new.db').close()
    assert shape(fourth) == shape(tmp_path / 'new.db')


def test_a_class_that_was_named_unknown_can_be_renamed_or_removed(old: Path) -> None:
    with SampleStore(old) as store:
        assert store.relabel_class('unknown', 'mystery', extractor=EXTRACTOR) == 1
        assert store.counts(extractor=EXTRACTOR) == {'mug': 300, 'mystery': 1}
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE samples SET label = 'unknown' WHERE id = 301")
        connection.commit()
    with SampleStore(old) as store:
        assert store.remove('unknown', 0, extractor=EXTRACTOR) == 1


def test_the_old_database_is_kept_complete_beside_the_new_one(old: Path) -> None:
    SampleStore(old).close()
    (copy,) = copies(old)
    assert re.fullmatch(r'samples\.schema-1\.\d{8}-\d{6}\.db', copy.name)
    check_old_content(copy)
    # An up-to-date database is not copied.
    SampleStore(old).close()
    assert copies(old) == [copy]


def test_the_copy_has_what_was_still_in_the_log(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute('PRAGMA wal_autocheckpoint=0')
        connection.execute("UPDATE samples SET label = 'from the log' WHERE id = 1")
        connection.commit()
        SampleStore(old).close()
    (copy,) = copies(old)
    with closing(sqlite3.connect(copy)) as connection:
        row = connection.execute('SELECT label FROM samples WHERE id = 1').fetchone()
    assert row == ('from the log',)


def test_the_copy_is_flushed_renamed_and_its_name_flushed_before_the_first_change(
    old: Path, disk_calls: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def migrate(connection: sqlite3.Connection, version: int) -> None:
        disk_calls.append(('migrate', str(version)))
        sample_migration.migrate(connection, version)

    monkeypatch.setattr(sample_schema, 'migrate', migrate)
    SampleStore(old).close()
    (copy,) = copies(old)
    assert disk_calls[:4] == [
        ('flush', '.samples.db.backup.partial'),
        ('rename', copy.name),
        ('flush', old.parent.name),
        ('migrate', '1'),
    ]


@pytest.mark.parametrize(
    ('moment', 'copies_left'), [('copying', 0), ('copied', 1), ('half way', 1)]
)
def test_a_migration_continues_after_a_kill(
    moment: str,
    copies_left: int,
    old: Path,
    start_python: Callable[..., subprocess.Popen[str]],
) -> None:
    child = start_python('-c', KILLED_MIGRATION, old, moment)
    assert child.wait() == -signal.SIGKILL
    assert len(copies(old)) == copies_left
    with SampleStore(old) as store:
        assert store.counts(extractor=EXTRACTOR) == {'mug': 300, 'unknown': 1}
        store.remove('mug', 1, extractor=EXTRACTOR)
    assert copies(old)
    for copy in copies(old):
        check_old_content(copy)
    assert not list(old.parent.glob('.*'))


def test_programs_that_start_at_the_same_time_migrate_once(old: Path) -> None:
    start = threading.Barrier(4)
    counts: list[dict[str, int]] = []

    def run() -> None:
        start.wait()
        with SampleStore(old) as store:
            counts.append(store.counts(extractor=EXTRACTOR))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [{'mug': 300, 'unknown': 1}] * 4
    assert len(copies(old)) == 1


def test_without_space_for_the_copy_the_database_is_unchanged(
    old: Path, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    words = f'Cannot make the backup copy that comes before the migration of {old}: .*What to do'
    with file_size_limit(33_000), pytest.raises(StoreError, match=words):
        SampleStore(old)
    check_old_content(old)
    assert copies(old) == []
    assert not list(old.parent.glob('.*'))
    SampleStore(old).close()
    assert len(copies(old)) == 1


def test_in_a_read_only_folder_nothing_is_changed(
    old: Path, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with read_only(old.parent), pytest.raises(StoreError, match=f'{old}: .*write permission'):
        SampleStore(old)
    check_old_content(old)


def test_a_damaged_database_is_not_migrated(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'embeddings_of_sample'"
        ).fetchone()[0]
        page_size = connection.execute('PRAGMA page_size').fetchone()[0]
    with old.open('r+b') as file:
        file.seek((page - 1) * page_size)
        file.write(bytes(page_size))
    before = old.read_bytes()
    with pytest.raises(StoreError, match=f'{old} is damaged .*nothing was changed. What to do: '):
        SampleStore(old)
    assert old.read_bytes() == before
    assert copies(old) == []
    assert not list(old.parent.glob('.*'))
