# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FleetDatabase: the SQLite file fleet.db, its connections and transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
import os
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.fleet.ledger.tables import APPLICATION_ID, SCHEMA_VERSION, TABLES
from edgetpu_retrain.store.files.disk_errors import is_damage, SQLITE_ERRORS, store_error
from edgetpu_retrain.store.files.durable_file import make_folder, sync_folder
from edgetpu_retrain.store.files.lock_wait import SQLITE_TIMEOUT_S, wait_while_locked
from edgetpu_retrain.store.files.regular_file import check_regular_file

IN_MEMORY = ':memory:'
"""The path of a database in memory, which is lost when its connection is closed."""

# Size of SQLite's page cache, KiB.  A pack of 1,000 samples changes about 1,000 pages of 4 KiB in
# the index of sample ids, which do not fit in the default cache of 2 MB.  With a million samples,
# SQLite reads 10 MB for each such pack with this cache, and 20 MB with the default (measured).
_CACHE_KIB = 16_384

_MOVE_AWAY = (
    'move it away and start again: the samples of this robot are claimed anew, all others come '
    'from the hub'
)


class FleetDatabase:
    """
    A fleet database; all methods are thread-safe, and other processes may use the file as well.

    Args:
        path: the file, which is created with its folder if it is missing; :data:`IN_MEMORY` = no
            file.

    Raises:
        StoreError: if the file cannot be opened, belongs to another program, or was written by a
            newer release; the file is then not changed.
    """

    def __init__(self, path: Path | str) -> None:
        self._in_memory = path == IN_MEMORY
        self.path = Path(path) if self._in_memory else Path(path).absolute()
        self._lock = threading.RLock()
        with self._as_store_error('open'):
            self._connection = self._open()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self, action: str) -> Iterator[sqlite3.Connection]:
        """
        Run the ``with`` block as one transaction; afterwards, all or none of it is on disk.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.

        Raises:
            StoreError: if SQLite or the disk fails; then nothing was changed.
        """
        with self._lock, self._as_store_error(action):
            connection = self._connection
            wait_while_locked(lambda: connection.execute('BEGIN IMMEDIATE'))
            try:
                yield connection
                connection.execute('COMMIT')
            finally:
                # After some errors, SQLite has already rolled back.
                if connection.in_transaction:
                    connection.execute('ROLLBACK')

    @contextmanager
    def looking(self, action: str) -> Iterator[sqlite3.Connection]:
        """
        Run the ``with`` block, a short query, on the connection of the transactions.

        The block waits for transactions of other threads, and they wait for the block.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.

        Raises:
            StoreError: if SQLite or the disk fails.
        """
        with self._lock, self._as_store_error(action):
            yield self._connection

    @contextmanager
    def reading(self, action: str) -> Iterator[sqlite3.Connection]:
        """
        Run the ``with`` block on a separate connection, which sees a snapshot of the file.

        Transactions do not wait for the block.  With :data:`IN_MEMORY`, there is only one
        connection, and this method does the same as :meth:`looking`.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.

        Raises:
            StoreError: if SQLite or the disk fails.
        """
        if self._in_memory:
            with self.looking(action) as connection:
                yield connection
            return
        with self._as_store_error(action), closing(self._connect('ro')) as connection:
            wait_while_locked(lambda: connection.execute('BEGIN'))
            yield connection

    def empty_log(self) -> None:
        """Empty the write-ahead log, which may contain erased bytes, unless it is in use."""
        with self._lock, suppress(sqlite3.OperationalError):
            self._connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')

    def _open(self) -> sqlite3.Connection:
        if not self._in_memory:
            make_folder(self.path.parent)
            if self.path.exists():
                # Check the version without write access first: a writable connection could change
                # another program's file.  The writable connection, below, reports other errors.
                with suppress(sqlite3.OperationalError), closing(self._connect('ro')) as reader:
                    self._version(reader)
            else:
                # Only the owner may read the file.  SQLite creates the log with the same mode.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
                sync_folder(self.path.parent)
        connection = self._connect('rw')
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        check_regular_file(self.path)
        return sqlite3.connect(
            IN_MEMORY if self._in_memory else f'{self.path.as_uri()}?mode={mode}',
            uri=not self._in_memory,
            timeout=SQLITE_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make transactions of the connection durable, and create the tables of a new file."""
        (mode,) = wait_while_locked(
            lambda: connection.execute('PRAGMA journal_mode=WAL')
        ).fetchone()
        if mode != 'wal' and not self._in_memory:
            raise StoreError(
                f'{self.path} cannot have a write-ahead log (SQLite offers {mode!r}), so claims '
                'could be lost in a power cut. What to do: set data_dir to a folder on a local '
                'disk.'
            )
        # With FULL, a transaction is on disk when it ends; secure_delete overwrites deleted bytes:
        # https://www.sqlite.org/pragma.html#pragma_synchronous and #pragma_secure_delete
        for pragma in ('synchronous=FULL', 'secure_delete=ON', f'cache_size=-{_CACHE_KIB}'):
            connection.execute(f'PRAGMA {pragma}')
        wait_while_locked(lambda: connection.execute('BEGIN IMMEDIATE'))
        with connection:
            if self._version(connection) == 0:
                for statement in TABLES:
                    connection.execute(statement)
                connection.execute(f'PRAGMA application_id={APPLICATION_ID}')
                connection.execute(f'PRAGMA user_version={SCHEMA_VERSION}')

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the schema version, 0 = empty file; raise StoreError if the file is unusable."""
        application, version, tables = wait_while_locked(
            lambda: (
                connection.execute('PRAGMA application_id').fetchone()[0],
                connection.execute('PRAGMA user_version').fetchone()[0],
                connection.execute('SELECT COUNT(*) FROM sqlite_master').fetchone()[0],
            )
        )
        if not (application or version or tables):
            return 0
        if application != APPLICATION_ID:
            raise StoreError(
                f'{self.path} is a database of another program (application id {application}): '
                'nothing was changed. What to do: move it away or set another data_dir.'
            )
        if version > SCHEMA_VERSION:
            raise StoreError(
                f'{self.path} was written by a newer release (schema {version}; this one knows '
                f'{SCHEMA_VERSION}): nothing was changed. What to do: install that release, or '
                f'{_MOVE_AWAY}.'
            )
        return int(version)

    @contextmanager
    def _as_store_error(self, action: str) -> Iterator[None]:
        action = f'{action} the fleet database'
        try:
            yield
        except (OSError, *SQLITE_ERRORS) as error:
            if is_damage(error):
                raise StoreError(
                    f'Cannot {action} {self.path}, which is damaged ({error}). What to do: '
                    f'{_MOVE_AWAY}.'
                ) from error
            raise store_error(action, self.path, error) from error
