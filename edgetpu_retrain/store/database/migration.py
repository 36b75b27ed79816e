# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
From the tables of an older release to those of this one, after a backup copy.

    samples.db                                  what the store reads and writes
    samples.schema-1.20261121-232256.db         what it was before, complete

The copy is on the disk before the first change is made, and the changes are one transaction: a
robot that loses power in between finds the old database and begins again.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
import os
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.durable_file import sync_folder, TEMPORARY_SUFFIX
from edgetpu_retrain.store.files.failure import as_store_error, SQLITE_FAILURES

# By the version that they start from; each leads to the next one.
_STEPS: dict[int, tuple[str, ...]] = {
    1: (
        'ALTER TABLE samples ADD COLUMN added_ns INTEGER NOT NULL DEFAULT 0',
        'CREATE INDEX samples_of_label ON samples (label)',
    ),
}


def back_up(path: Path, version: int) -> Path:
    """
    Copy a whole sample database, its write-ahead log included, beside itself.

    Args:
        path: the database; nobody writes to it meanwhile.
        version: of its schema, for the name of the copy.

    Returns:
        The copy, which is on the disk when this returns.

    Raises:
        StoreError: when the database is damaged, or the copy cannot be written.
    """
    now = datetime.now(timezone.utc)
    copy = path.with_name(f'{path.stem}.schema-{version}.{now:%Y%m%d-%H%M%S}{path.suffix}')
    # The same name each time: one that was cut short is written over, not left lying about.
    temporary = path.with_name(f'.{path.name}.backup{TEMPORARY_SUFFIX}')
    action = 'make the backup copy that comes before the migration of'
    with as_store_error(action, path, *SQLITE_FAILURES):
        try:
            temporary.unlink(missing_ok=True)
            _copy(path, temporary)
            with temporary.open('rb') as file:
                os.fsync(file.fileno())
            temporary.replace(copy)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    return copy


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """
    Bring the tables of an older schema up to date.

    Args:
        connection: in a transaction, which the caller ends.
        version: of the schema that the tables have.

    Raises:
        sqlite3.Error: when SQLite refuses.
    """
    while version in _STEPS:
        for statement in _STEPS[version]:
            connection.execute(statement)
        version += 1


def _copy(path: Path, copy: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f'{path.as_uri()}?mode=ro', uri=True)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        (verdict,) = source.execute('PRAGMA quick_check(1)').fetchone()
        if verdict != 'ok':
            damage = ' '.join(verdict.split())
            raise StoreError(
                f'{path} is damaged ({damage}), so it was not migrated: nothing was changed. '
                'What to do: restore a backup, or move it away and start again.'
            )
        source.backup(target)
