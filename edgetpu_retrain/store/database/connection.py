# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SampleDatabase: the SQLite connections of a sample store, and their transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, ExitStack, suppress
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database.damage_check import DamageCheck
from edgetpu_retrain.store.database.schema import open_database, open_for_reading
from edgetpu_retrain.store.files.disk_errors import as_store_error, SQLITE_ERRORS, store_error
from edgetpu_retrain.store.files.durable_file import make_folder, sync_folder
from edgetpu_retrain.store.files.lock_wait import wait_while_locked


class SampleDatabase:
    """
    A sample database for all threads.

    One transaction runs at a time, and any number of reads beside it.

    Args:
        path: the SQLite file; it is created, with its folder, if it is missing.
        must_open: whether to raise if the file cannot be opened.  If False, each transaction tries
            to open it, and raises if that fails.
        is_ending: called while another program has locked the file; returns whether to stop
            waiting.

    Raises:
        StoreError: if ``must_open`` and the file cannot be opened, belongs to another program or
            was written by a newer release.
    """

    def __init__(
        self, path: Path, *, must_open: bool = True, is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        self.path = path.absolute()
        self._is_ending = is_ending
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.damage_check = DamageCheck(self.path)
        """What is known about damage of the open file; a damaged one is not written to."""
        try:
            self._connection = self._open()
        except StoreError:
            if must_open:
                raise

    @property
    def is_open(self) -> bool:
        """Whether the file is open."""
        return self._connection is not None

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._closed = True
            if self._connection is None:
                return
            with ExitStack() as stack:
                if self.damage_check.damage:
                    # SQLite writes the log into the file when the last connection is closed.
                    with suppress(OSError, StoreError, *SQLITE_ERRORS):
                        reader = stack.enter_context(closing(open_for_reading(self.path)))
                        _begin(reader, writing=False)
                self._connection.close()
                self._connection = None

    def checkpoint(self) -> None:
        """
        Copy the content of the write-ahead log to the file, without waiting for other programs.

        Committed samples are on disk without it; it is for people who copy only the file.
        Failures are ignored, because the next checkpoint tries again.
        """
        with self._lock, suppress(*SQLITE_ERRORS):
            if self._connection is not None and not self.damage_check.damage:
                self._connection.execute('PRAGMA wal_checkpoint(PASSIVE)')

    @contextmanager
    def transaction(self, action: str, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        """
        Run the ``with`` block as one transaction; afterwards, all or none of it is on disk.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.
            writing: whether the block writes; if not, it does not wait for other programs' writes.

        Raises:
            StoreError: if the database is closed or cannot be opened, or SQLite fails.
        """
        with self._lock:
            connection = self._opened(action)
            if writing:
                self.damage_check.reject_if_damaged()
            try:
                wait_while_locked(lambda: _begin(connection, writing=writing), self._is_ending)
                yield connection
                connection.execute('COMMIT')
            except SQLITE_ERRORS as error:
                self.damage_check.note(error)
                raise store_error(action, self.path, error) from error
            finally:
                # After some errors, SQLite has already rolled back.
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute('ROLLBACK')

    @contextmanager
    def reading(self, action: str) -> Iterator[sqlite3.Connection]:
        """
        Run the ``with`` block as a read transaction on a connection of its own.

        However long it takes, no other transaction waits for it.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.

        Raises:
            StoreError: if the database is closed or cannot be opened, or SQLite fails.
        """
        if self._closed or self._connection is None:
            with self._lock:
                self._opened(action)
        with as_store_error(action, self.path):
            own = wait_while_locked(lambda: open_for_reading(self.path), self._is_ending)
        with closing(own):
            try:
                wait_while_locked(lambda: _begin(own, writing=False), self._is_ending)
                yield own
            except SQLITE_ERRORS as error:
                self.damage_check.note(error)
                raise store_error(action, self.path, error) from error

    def empty_log(self) -> None:
        """
        Move what is in the write-ahead log into the file, and leave the log empty.

        Raises:
            StoreError: if another program reads an older state of the file for too long, or the
                disk fails.
        """
        with (
            self.damage_check.paused(),
            as_store_error(
                'empty the write-ahead log, which may still contain erased samples, of', self.path
            ),
        ):
            # Each attempt acquires the lock, so that others can write between two of them.
            wait_while_locked(self._truncate_log, self._is_ending)

    def _truncate_log(self) -> None:
        with self._lock:
            if self._connection is not None:
                # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
                log = self._connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
                (busy, _, _) = log.fetchone()
                if busy:
                    raise sqlite3.OperationalError('database is locked')

    def _opened(self, action: str) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(
                f'Cannot {action} {self.path}: it was closed. What to do: start again.'
            )
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        with as_store_error('open the samples in', self.path):
            make_folder(self.path.parent)
            connection = open_database(self.path, self._is_ending)
            try:
                # SQLite flushes the content of a new file, but not the folder with its name.
                sync_folder(self.path.parent)
            except OSError:
                connection.close()
                raise
            self.damage_check.reset()
            return connection


def _begin(connection: sqlite3.Connection, *, writing: bool) -> None:
    connection.execute('BEGIN IMMEDIATE' if writing else 'BEGIN')
    try:
        # BEGIN without IMMEDIATE acquires neither a lock nor a snapshot; the first query does.
        connection.execute('SELECT COUNT(*) FROM sqlite_master').fetchone()
    except sqlite3.Error:
        connection.execute('ROLLBACK')
        raise
