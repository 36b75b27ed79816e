# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A database with other tables under our names is rejected before it is read, unchanged."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest

HOSTILE = {
    'no plain table embeddings': """
        DROP TABLE embeddings;
        CREATE VIEW embeddings AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)
        SELECT 1 AS extractor_id, n AS sample_id, x'00' AS data FROM r;
    """,
    "a trigger 'full_disk'": """
        CREATE TRIGGER full_disk AFTER INSERT ON samples BEGIN
        INSERT INTO samples (label, camera, stamp_ns, addition) SELECT 'x', 'x', 0, 0 FROM samples;
        END;
    """,
    'no plain strict table images': """
        DROP TABLE images; CREATE TABLE images (sample_id INTEGER PRIMARY KEY, jpeg BLOB);
    """,
    'no plain table images': """
        DROP TABLE images;
        CREATE TABLE images (sample_id INTEGER PRIMARY KEY,
        jpeg BLOB CHECK (length(randomblob(1000000000)) > 0)) STRICT;
    """,
    "a column 'more' of type 'BLOB' in table images": """
        ALTER TABLE images ADD COLUMN more BLOB AS (zeroblob(1000000000));
    """,
    "a column 'stamp_ns' of type 'TEXT' in table samples": """
        DROP INDEX samples_of_label; ALTER TABLE samples RENAME COLUMN label TO old;
        ALTER TABLE samples RENAME COLUMN stamp_ns TO label;
        ALTER TABLE samples RENAME COLUMN old TO stamp_ns;
    """,
    "a column 'recording' of type 'TEXT' in table samples": """
        ALTER TABLE samples DROP COLUMN recording;
        ALTER TABLE samples ADD COLUMN recording TEXT DEFAULT (hex(zeroblob(1000000000)));
    """,
    'no row numbers in table images': """
        DROP TABLE images; CREATE TABLE images (sample_id INTEGER, jpeg BLOB) STRICT;
    """,
    "an index 'slow' of expressions on table samples": """
        CREATE INDEX slow ON samples (length(hex(zeroblob(100000000))));
    """,
}


@pytest.mark.parametrize('words', HOSTILE)
def test_other_tables_under_our_names_are_rejected(words: str, path: Path) -> None:
    SampleStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('PRAGMA journal_mode=DELETE')
        connection.executescript(HOSTILE[words])
    before = path.read_bytes()
    with pytest.raises(StoreError, match=words) as refusal:
        SampleStore(path)
    assert 'What to do: ' in str(refusal.value)
    assert path.read_bytes() == before


def test_other_tables_and_indices_are_ignored(path: Path) -> None:
    SampleStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            'CREATE TABLE notes (text); CREATE INDEX of_camera ON samples (camera);'
        )
    with SampleStore(path) as store:
        assert store.extractors() == {}
