# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens a sample database: creates, checks or migrates its tables."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database.migration import back_up, migrate
from edgetpu_retrain.store.database.structure import check_structure, TABLES
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE
from edgetpu_retrain.store.files.lock_wait import SQLITE_TIMEOUT_S, wait_while_locked
from edgetpu_retrain.store.files.regular_file import check_regular_file, exists

# Identifies this package's files among SQLite files: 'etrS' in ASCII.
APPLICATION_ID = 0x65747253
SCHEMA_VERSION = 5

# Less than the default of 2 MB, because the operating system caches the file as well.
_CACHE_KIB = 512


def open_database(path: Path, is_ending: Callable[[], bool]) -> sqlite3.Connection:
    """
    Open a sample database for durable writing; create it if it is missing.

    A file of another program or of a newer release is rejected before anything is written; a file
    of an older release is backed up and migrated.

    Args:
        path: the file; its folder must exist.
        is_ending: see :func:`~edgetpu_retrain.store.files.lock_wait.wait_while_locked`.

    Returns:
        A connection in autocommit mode, with a write-ahead log, synchronous=FULL and
        secure_delete=ON.  Any thread may use it, but only one at a time.

    Raises:
        StoreError: if the file belongs to another program, was written by a newer release, is
            damaged, cannot have a write-ahead log, or cannot be copied before its migration.
        OSError: if the path is not a regular file.
        sqlite3.Error: if SQLite cannot open or create the file.
    """
    check_regular_file(path)
    if exists(path):
        check_without_writing(path)
    connection = sqlite3.connect(
        path, timeout=SQLITE_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        wait_while_locked(lambda: _schema_version(connection, path), is_ending)
        wait_while_locked(lambda: _make_durable(connection, path), is_ending)
        connection.execute('PRAGMA foreign_keys=ON')
        connection.execute(f'PRAGMA cache_size=-{_CACHE_KIB}')
        # SampleDatabase makes the checkpoints, to distinguish them from changes by other programs.
        connection.execute('PRAGMA wal_autocheckpoint=0')
        wait_while_locked(lambda: connection.execute('BEGIN IMMEDIATE'), is_ending)
        _update_tables(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """
    Open a read-only connection to a sample database that this process has already opened.

    Args:
        path: the file.

    Returns:
        A connection in autocommit mode.  Any thread may use it, but only one at a time.

    Raises:
        StoreError: if the file is not a sample database, was written by a newer release, or is
            damaged.
        OSError: if there is no regular file at the path.
        sqlite3.Error: if SQLite cannot open the file.
    """
    check_regular_file(path)
    path.stat()  # raises FileNotFoundError, which is clearer than SQLite's error
    connection = sqlite3.connect(
        f'{path.as_uri()}?mode=ro',
        uri=True,
        timeout=SQLITE_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _schema_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def check_without_writing(path: Path) -> int:
    """
    Check an existing file, and return its schema version; 0 if it is empty or cannot be opened.

    Raises:
        StoreError: if the file belongs to another program, was written by a newer release, or is
            damaged.
        sqlite3.DatabaseError: if the file is not a database.
    """
    # Closing a writable connection may merge the log of another program's database into that
    # database.  Closing a read-only connection does not.  If the file cannot be opened here,
    # open_database() reports the reason.
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect(f'{path.as_uri()}?mode=ro', uri=True)) as connection,
    ):
        return _schema_version(connection, path)
    return 0


def _schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """
    Return the schema version; 0 for an empty file.

    Raises:
        StoreError: if the file belongs to another program, was written by a newer release, or is
            damaged.
    """
    application = _pragma(connection, 'application_id')
    version = _pragma(connection, 'user_version')
    tables = connection.execute('SELECT COUNT(*) FROM sqlite_master').fetchone()[0]
    if not tables and not application and not version:
        return 0
    if application != APPLICATION_ID:
        raise StoreError(
            f'{path} is a database of another program (application id {application}): '
            'nothing was changed. What to do: move it away or set another data_dir.'
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f'{path} was written by a newer release (schema {version}; this one knows '
            f'{SCHEMA_VERSION}): nothing was changed. What to do: install that release or set '
            'another data_dir.'
        )
    if version < 1:
        raise StoreError(
            f'{path} is damaged: its schema is {version}, which never was; nothing was '
            f'changed. What to do: {AFTER_DAMAGE}.'
        )
    check_structure(connection, path)
    return version


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    # With a write-ahead log, synchronous=FULL flushes the log at each commit; with NORMAL, a power
    # loss may undo the last commits (https://www.sqlite.org/pragma.html#pragma_synchronous).
    mode = connection.execute('PRAGMA journal_mode=WAL').fetchone()[0]
    if mode != 'wal':
        raise StoreError(
            f'{path} cannot have a write-ahead log (SQLite offers {mode!r}), so a sample could '
            'be lost in a power cut. What to do: set data_dir to a folder on a local disk.'
        )
    connection.execute('PRAGMA synchronous=FULL')
    # Overwrite deleted data with zeros: https://www.sqlite.org/pragma.html#pragma_secure_delete.
    # Every connection that writes needs this setting, not only one that erases: removing a sample
    # copies its picture to another table and deletes the first copy.  If the sample is erased
    # later, only the second copy is found and deleted.
    connection.execute('PRAGMA secure_delete=ON')


def _update_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Create or migrate the tables, and commit the connection's transaction."""
    with connection:
        # Read the version again in the transaction, because another process may have changed it.
        version = _schema_version(connection, path)
        if version == 0:
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f'PRAGMA application_id={APPLICATION_ID}')
        elif version < SCHEMA_VERSION:
            back_up(path, version)
            migrate(connection, version)
        if version != SCHEMA_VERSION:
            connection.execute(f'PRAGMA user_version={SCHEMA_VERSION}')


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f'PRAGMA {name}').fetchone()[0])
