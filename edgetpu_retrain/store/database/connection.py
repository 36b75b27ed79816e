# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SampleDatabase: the one SQLite connection of a sample store, and its transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database.schema import open_database
from edgetpu_retrain.store.files.disk_errors import as_store_error, SQLITE_ERRORS, store_error
from edgetpu_retrain.store.files.durable_file import make_folder, sync_folder
from edgetpu_retrain.store.files.lock_wait import wait_while_locked


class SampleDatabase:
    """
    A sample database for all threads; one transaction runs at a time.

    Args:
        path: the SQLite file, created (with its folder) if there is none.
        must_open: False accepts a file that cannot be opened; each transaction then tries again,
            and raises the error while that fails.
        is_ending: called while another program holds the file: whether to stop waiting.

    Raises:
        StoreError: if the file cannot be opened, is another program's or of a newer release.
    """

    def __init__(
        self, path: Path, *, must_open: bool = True, is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        self.path = path.absolute()
        self._is_ending = is_ending
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        try:
            self._connection = self._open()
        except StoreError:
            if must_open:
                raise

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def transaction(self, action: str, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        """
        Run the body as one transaction: all of it is on disk afterwards, or nothing.

        Args:
            action: what the body does, for error messages, to follow 'Cannot'.
            writing: whether the body writes; a reading one does not wait for writers.

        Raises:
            StoreError: if the database is closed or SQLite fails.
        """
        with self._lock:
            if self._closed:
                raise StoreError(
                    f'Cannot {action} {self.path}: it was closed. What to do: start again.'
                )
            if self._connection is None:
                self._connection = self._open()
            connection = self._connection
            try:
                wait_while_locked(lambda: _begin(connection, writing=writing), self._is_ending)
                yield connection
                connection.execute('COMMIT')
            except SQLITE_ERRORS as error:
                raise store_error(action, self.path, error) from error
            finally:
                # SQLite rolls back some failed transactions itself.
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute('ROLLBACK')

    def _open(self) -> sqlite3.Connection:
        with as_store_error('open the samples in', self.path):
            make_folder(self.path.parent)
            connection = open_database(self.path, self._is_ending)
            try:
                # SQLite flushes the content of its file, but not the file's name in its folder.
                sync_folder(self.path.parent)
            except OSError:
                connection.close()
                raise
            return connection


def _begin(connection: sqlite3.Connection, *, writing: bool) -> None:
    connection.execute('BEGIN IMMEDIATE' if writing else 'BEGIN')
    try:
        # A reading transaction takes its lock, and its snapshot, only when it reads.
        connection.execute('SELECT COUNT(*) FROM sqlite_master').fetchone()
    except sqlite3.Error:
        connection.execute('ROLLBACK')
        raise
