# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Damages a sample database in a place that opening and counting do not read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3


def damage_embeddings(path: Path) -> None:
    """Overwrite the page with the oldest embedding; no process may have the database open."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        (page_size,) = connection.execute('PRAGMA page_size').fetchone()
        (embedding,) = connection.execute(
            'SELECT data FROM embeddings ORDER BY rowid LIMIT 1'
        ).fetchone()
    content = bytearray(path.read_bytes())
    start = content.index(embedding) // page_size * page_size
    end = start + page_size
    content[start:end] = b'\xff' * page_size
    path.write_bytes(content)


def mix_states(path: Path, table: str, columns: str) -> None:
    """
    Give a table of a sample database a row from later than its state.

    Args:
        path: the database, which no process may have open.
        table: the table.
        columns: values for its new row, as SQL.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f'INSERT INTO {table} VALUES ({columns})')
