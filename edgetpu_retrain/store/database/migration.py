# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Migrates the tables of an older release, after making a backup copy.

    samples.db                                  the migrated database
    samples.schema-1.20261121-232256.db         the backup copy

The copy is on disk before the first change, and all changes are one transaction.  If power is lost
before the commit, the next start finds the old database and migrates it.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database.structure import (
    JOURNAL_TABLES,
    QUESTION_TABLES,
    RECORDING_COLUMNS,
)
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE, as_store_error
from edgetpu_retrain.store.files.durable_file import (
    complete_or_absent,
    sync_folder,
    TEMPORARY_SUFFIX,
)

# The statements that migrate from each schema version to the next.
_STEPS: dict[int, tuple[str, ...]] = {
    1: (
        'ALTER TABLE samples ADD COLUMN added_ns INTEGER NOT NULL DEFAULT 0',
        'CREATE INDEX samples_of_label ON samples (label)',
    ),
    2: JOURNAL_TABLES,
    3: RECORDING_COLUMNS,
    4: QUESTION_TABLES,
}


def back_up(path: Path, version: int) -> Path:
    """
    Copy a sample database, including its write-ahead log, to a new file in the same folder.

    Args:
        path: the database; the caller ensures that nothing writes to it during the copy.
        version: its schema version, for the name of the copy.

    Returns:
        The path of the copy, which is on disk when this function returns.

    Raises:
        StoreError: if the database is damaged, or the copy cannot be written.
    """
    now = datetime.now(timezone.utc)
    copy = path.with_name(f'{path.stem}.schema-{version}.{now:%Y%m%d-%H%M%S}{path.suffix}')
    # Use a fixed temporary name: the next migration replaces the file of a killed process.
    partial = path.with_name(f'.{path.name}.backup{TEMPORARY_SUFFIX}')
    with as_store_error('make the backup copy that comes before the migration of', path):
        with complete_or_absent(copy, partial):
            if damage := copy_database(path, partial):
                raise StoreError(
                    f'{path} is damaged ({damage}), so it was not migrated: nothing was changed. '
                    f'What to do: {AFTER_DAMAGE}.'
                )
        sync_folder(path.parent)
    return copy


def copies_of(path: Path) -> tuple[Path, ...]:
    """
    Return the files of earlier databases that are kept beside a database, sorted by name.

    Migrating and restoring a database keep the earlier one.  :func:`set_aside` in the module
    ``open_files`` keeps the log of a database that another program has moved or replaced.

    Args:
        path: the database.

    Raises:
        StoreError: if the folder cannot be listed.
    """
    names = (f'{path.stem}.{kind}-*{path.suffix}*' for kind in ('schema', 'replaced'))
    with as_store_error('list the earlier databases beside', path):
        return tuple(sorted(found for name in names for found in path.parent.glob(name)))


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """
    Migrate the tables from an older schema version to the current one.

    Args:
        connection: a connection in a transaction, which the caller commits.
        version: the schema version of the tables.

    Raises:
        sqlite3.Error: if SQLite fails.
    """
    while version in _STEPS:
        for statement in _STEPS[version]:
            connection.execute(statement)
        version += 1


def copy_database(path: Path, copy: Path) -> str:
    """
    Copy the state of a database, including its write-ahead log, to a file that needs no log.

    Args:
        path: the database; other programs may write at the same time.
        copy: path of the new file, which is not flushed to the disk.

    Returns:
        The damage that SQLite finds in the copy; '' = none.

    Raises:
        sqlite3.Error: if the database cannot be read, or the copy cannot be written.
    """
    with (
        contextlib.closing(sqlite3.connect(f'{path.as_uri()}?mode=ro', uri=True)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        try:
            target.execute('PRAGMA journal_mode=DELETE')
            (verdict,) = target.execute('PRAGMA quick_check(1)').fetchone()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            verdict = str(error)
    return '' if verdict == 'ok' else ' '.join(verdict.split())
