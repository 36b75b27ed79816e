# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SampleDatabase: the SQLite connections of a sample store, and their transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import FilesChangedError, StoreError
from edgetpu_retrain.store.database.damage import keep_log_without_database, reject_damage
from edgetpu_retrain.store.database.damage_check import DamageCheck
from edgetpu_retrain.store.database.open_files import OpenFiles
from edgetpu_retrain.store.database.schema import open_database, open_for_reading
from edgetpu_retrain.store.files.disk_errors import as_store_error, SQLITE_ERRORS, store_error
from edgetpu_retrain.store.files.durable_file import make_folder, sync_folder
from edgetpu_retrain.store.files.lock_wait import wait_while_locked

# A checkpoint is made at this size of the log: SQLite's default, 4 MB with pages of 4 kB.
_MAX_LOG_FRAMES = 1000

_REFUSED = 'The request was not carried out: repeat it.'
_UNKNOWN = (
    'Whether the request was carried out is not known: list the samples (list_samples) before '
    'repeating it.'
)
_NOT_ERASED = 'Samples that were erased may still be in the file that was there before.'


class SampleDatabase:
    """
    A sample database; all methods are thread-safe.

    One :meth:`transaction` runs at a time, alongside any number of :meth:`reading` blocks.

    If another program moves, replaces or overwrites the files, the transaction that detects this
    fails, and the database is opened again from the files that are there now.

    Args:
        path: the SQLite file; it is created, with its folder, if it is missing.
        must_open: whether to raise if the file cannot be opened.  If False, each transaction tries
            to open it, and raises if that fails.
        is_ending: called while another program has locked the file; returns whether to stop
            waiting.
        check_folder: called before each transaction or read, and after writing; raises
            FilesChangedError if the folder must not be used any more.

    Raises:
        StoreError: if ``must_open`` is true, and the file cannot be opened, belongs to another
            program or was written by a newer release.
    """

    def __init__(
        self,
        path: Path,
        *,
        must_open: bool = True,
        is_ending: Callable[[], bool] = lambda: False,
        check_folder: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path.absolute()
        self._is_ending = is_ending
        self._check_folder = check_folder
        self._lock = threading.Lock()
        self._opened: tuple[sqlite3.Connection, OpenFiles] | None = None
        self._closed = False
        # Whether another program may have damaged the files.
        self._is_suspect = False
        # Whether the log may end with a transaction that has failed.
        self._is_unsettled = False
        self.damage_check = DamageCheck(self.path)
        """What is known about damage of the open file; a damaged file is not written to."""
        try:
            self._opened = self._open()
        except StoreError:
            if must_open:
                raise

    @property
    def is_open(self) -> bool:
        """Whether the file is open: False after :meth:`close`, and if opening has failed."""
        return self._opened is not None

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._closed = True
            if self._opened is None:
                return
            connection, files = self._opened
            if files.change():
                with suppress(StoreError):
                    self._release()
            elif self.damage_check.damage:
                files.prevent_checkpoint()
            connection.close()
            self._opened = None

    def checkpoint(self) -> None:
        """
        Copy the content of the write-ahead log to the file, without waiting for other programs.

        Samples in the log are on disk, too.  The checkpoint is for users who copy the file without
        the log.  Failures are ignored, because the next checkpoint tries again.
        """
        with self._lock:
            if self._opened is not None and not self.damage_check.damage:
                _checkpoint(*self._opened)

    @contextmanager
    def transaction(self, action: str, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        """
        Run the ``with`` block as one transaction: all of its changes are then on disk, or none.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.
            writing: whether the block writes; if not, it does not wait for other programs' writes.

        Raises:
            FilesChangedError: if another program has moved, replaced or overwritten the files.
            StoreError: if the database is closed, cannot be opened, or is damaged and the block
                writes, or if SQLite fails.  If it is unknown whether the block's changes are in
                the file, the message says so.
        """
        with self._lock:
            connection, files = self._current(action)
            if writing:
                self.damage_check.reject_if_damaged()
            is_committing = False
            try:
                if writing and self._is_unsettled:
                    self._settle(connection)
                wait_while_locked(lambda: _begin(connection, writing=writing), self._is_ending)
                if writing:
                    # Check again: this connection has the write lock now, so no other process can
                    # write or start a new log.
                    self._check_files(_REFUSED)
                yield connection
                is_committing = writing
                connection.execute('COMMIT')
            except SQLITE_ERRORS as error:
                self.damage_check.note(error)
                self._check_files(_UNKNOWN if is_committing else _REFUSED)
                raise self._failed(connection, action, error, is_committing) from error
            finally:
                # After some errors, SQLite has already rolled back.
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute('ROLLBACK')
            if writing:
                self._check_files(_UNKNOWN, committed=True)
                if files.log_frames >= _MAX_LOG_FRAMES:
                    _checkpoint(connection, files)

    @contextmanager
    def reading(self, action: str) -> Iterator[sqlite3.Connection]:
        """
        Run the ``with`` block as a read transaction on a separate connection.

        No other transaction waits for the block, however long it takes.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.

        Raises:
            FilesChangedError: if the folder must not be used any more.
            StoreError: if the database is closed or cannot be opened, or if SQLite fails.
        """
        if self._closed or self._opened is None:
            with self._lock:
                self._current(action)
        self._check_folder()
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
        Move the content of the write-ahead log into the file, and empty the log.

        Raises:
            FilesChangedError: if another program has moved, replaced or overwritten the files.
            StoreError: if another program or a :meth:`reading` block uses the log for too long, or
                the disk fails.
        """
        with (
            self.damage_check.paused(),
            as_store_error(
                'empty the write-ahead log, which may still contain erased samples, of', self.path
            ),
        ):
            # Each attempt acquires the lock again, so that other threads can write in between.
            wait_while_locked(self._truncate_log, self._is_ending)

    def _truncate_log(self) -> None:
        with self._lock:
            if self._opened is None:
                return
            self._check_files(_NOT_ERASED)
            connection, files = self._opened
            # The first column is 1 if a lock blocked the checkpoint:
            # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
            (busy, _, _) = connection.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()
            files.note()
            if busy:
                raise sqlite3.OperationalError('database is locked')

    def _current(self, action: str) -> tuple[sqlite3.Connection, OpenFiles]:
        """Return the connection and its files, after checking them; open them if necessary."""
        if self._closed:
            raise StoreError(
                f'Cannot {action} {self.path}: it was closed. What to do: start again.'
            )
        self._check_files(_REFUSED)
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _check_files(self, outcome: str, *, committed: bool = False) -> None:
        """
        Check the files; if they were changed, open the present ones and raise FilesChangedError.

        Args:
            outcome: what the message says about the outcome of the request.
            committed: see :meth:`OpenFiles.change`.
        """
        self._check_folder()
        if self._opened is None:
            return
        with as_store_error('check the files of', self.path):
            change = self._opened[1].change(committed=committed)
        if not change:
            return
        self._release()
        result = 'it was opened again with what is there now'
        try:
            self._opened = self._open()
        except StoreError as error:
            result = str(error).rstrip('.')
        raise FilesChangedError(
            f'{self.path} {change} while it was in use: {result}. {outcome} If samples are '
            "missing, end the node and put a backup in place with 'samples restore FILE'."
        )

    def _release(self) -> None:
        """Close the connection after the files were changed."""
        assert self._opened is not None
        connection, files = self._opened
        self._opened = None
        self._is_suspect, self._is_unsettled = True, False
        self.damage_check.interrupt()
        with as_store_error('close', self.path):
            files.release(connection, is_damaged=bool(self.damage_check.damage))

    def _failed(
        self,
        connection: sqlite3.Connection,
        action: str,
        error: sqlite3.Error | UnicodeDecodeError | MemoryError,
        is_committing: bool,
    ) -> StoreError:
        """Return the error to raise; after a failed commit, try to :meth:`_settle` the log."""
        failure = store_error(action, self.path, error)
        if not is_committing:
            return failure
        self._is_unsettled = True
        try:
            self._settle(connection)
        except SQLITE_ERRORS:
            return StoreError(f'{failure} {_UNKNOWN}')
        return failure

    def _settle(self, connection: sqlite3.Connection) -> None:
        """
        Overwrite what a failed commit has written to the log, with a small transaction.

        If the commit failed while flushing the log, the log may still contain the complete
        transaction.  The next process would apply it, although it was reported as failed.
        """
        if connection.in_transaction:
            connection.execute('ROLLBACK')
        wait_while_locked(lambda: _begin(connection, writing=True), self._is_ending)
        try:
            # Setting user_version to its present value writes one page.
            (version,) = connection.execute('PRAGMA user_version').fetchone()
            connection.execute(f'PRAGMA user_version={version}')
            connection.execute('COMMIT')
        finally:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute('ROLLBACK')
        self._is_unsettled = False

    def _open(self) -> tuple[sqlite3.Connection, OpenFiles]:
        with as_store_error('open the samples in', self.path):
            make_folder(self.path.parent)
            if self._is_suspect:
                reject_damage(self.path, self._is_ending)
            keep_log_without_database(self.path)
            connection = open_database(self.path, self._is_ending)
            try:
                # Flush the name of a new database.  SQLite flushes the folder for journals and
                # logs only.
                sync_folder(self.path.parent)
                files = OpenFiles(self.path)
                # Forget what was read before the state of the files was noted: another program may
                # have overwritten the database since.
                connection.execute('PRAGMA shrink_memory')
            except OSError:
                self._is_suspect = True
                connection.close()
                raise
            self._is_suspect = False
            self.damage_check.reset()
            # A killed process may leave an index of the log (-shm) that says that a checkpoint is
            # running; a complete checkpoint corrects it.
            _checkpoint(connection, files)
            return connection, files


def _begin(connection: sqlite3.Connection, *, writing: bool) -> None:
    connection.execute('BEGIN IMMEDIATE' if writing else 'BEGIN')
    try:
        # BEGIN without IMMEDIATE acquires neither a lock nor a snapshot; the first query does.
        connection.execute('SELECT COUNT(*) FROM sqlite_master').fetchone()
    except sqlite3.Error:
        connection.execute('ROLLBACK')
        raise


def _checkpoint(connection: sqlite3.Connection, files: OpenFiles) -> None:
    with suppress(OSError, *SQLITE_ERRORS), files.reserved():
        # Do not write to changed files; the next transaction reports the change.
        if not files.change():
            connection.execute('PRAGMA wal_checkpoint(PASSIVE)')
            files.note()
