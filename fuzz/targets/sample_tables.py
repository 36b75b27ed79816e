# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""samples.db: tables, views, triggers and rows of whatever kind, as a script of SQL."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from functools import cache
from pathlib import Path
import sqlite3

from fuzz.small_store import make_database, use_store
from fuzz.target import MemoryBudget, MIB, scratch_folder, Target

# Steps of SQLite's machine that the script itself may take, before the store sees anything.
_MOST_STEPS = 200_000
_MOST_BYTES = 4 * MIB

_HOSTILE = (
    # Endless reading, endless writing, absurd numbers, values of other types.
    """
    DROP TABLE embeddings;
    CREATE VIEW embeddings AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)
    SELECT 1 AS extractor_id, n AS sample_id, x'00000000' AS data FROM r;
    """,
    """
    CREATE TRIGGER t AFTER INSERT ON samples BEGIN
    INSERT INTO samples (label, camera, stamp_ns, addition) SELECT label, camera, 0, 0
    FROM samples; END;
    """,
    'UPDATE extractors SET dimension = 1000000000000;',
    'UPDATE extractors SET dimension = 1, scale = 9e999;',
    "UPDATE extractors SET scale = NULL, dtype = 'float32', zero_point = -5;",
    "UPDATE embeddings SET data = x'';",
    'DELETE FROM extractors;',
    'PRAGMA foreign_keys=OFF; DELETE FROM samples WHERE id = 1;',
    "UPDATE samples SET label = 'a' || char(10) || 'b', stamp_ns = -9223372036854775808;",
    """
    DROP TABLE samples;
    CREATE TABLE samples (id, label, camera, stamp_ns, addition, added_ns, recording);
    INSERT INTO samples VALUES ('x', x'ff', NULL, 1.5, 'y', 'z', x'ff');
    """,
    "UPDATE samples SET label = CAST(x'ff' AS TEXT);",
    "UPDATE questions SET classification = '[' || hex(zeroblob(9)), kind = '', camera = 'a/b';",
    "UPDATE questions SET data = x'00', jpeg = x'00', extractor_id = 2;",
)


@cache
def _database() -> bytes:
    with scratch_folder() as folder:
        return make_database(folder).read_bytes()


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'samples.db'
    path.write_bytes(_database())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _bound(connection)
        with contextlib.suppress(sqlite3.Error, sqlite3.Warning, ValueError):
            connection.executescript(data.decode(errors='replace'))
    use_store(path)


def _bound(connection: sqlite3.Connection) -> None:
    """Keep a script short, and within its file."""
    steps = iter(range(_MOST_STEPS // 1000))
    connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
    # A Python without these (3.10) replays what was found by one that has them.
    if hasattr(connection, 'setlimit'):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)


def _seeds() -> Iterator[bytes]:
    for script in _HOSTILE:
        yield script.encode()
    with scratch_folder() as folder:
        path = make_database(folder)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            yield '\n'.join(connection.iterdump()).encode()


TARGET = Target(run=_run, seeds=_seeds, max_bytes=12_288, memory=MemoryBudget(8 * MIB, 64))
