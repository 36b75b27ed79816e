# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DamageCheck: checks a whole database for damage, and records the damage that is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database.schema import open_for_reading
from edgetpu_retrain.store.database.structure import mixed_states
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE, as_store_error, is_damage


class DamageCheck:
    """
    Checks a whole database for damage, on a separate connection.

    Only one thread at a time may call :meth:`run`; all other methods are thread-safe.

    Args:
        path: the database.

    Attributes:
        damage: the damage of the open file, as SQLite describes it; '' = none is known.
        is_done: whether no check is needed: the file was checked, or no file has been opened yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Locked to prevent a check from running.
        self._pause = threading.Lock()
        self._running: sqlite3.Connection | None = None
        self._interrupted = False
        self._file = object()
        self.damage = ''
        self.is_done = True

    @property
    def problem(self) -> str:
        """Message for the user about the damage, with advice; '' = no damage is known."""
        return self.damage and (
            f'{self._path} is damaged ({self.damage}), so nothing is written into it. '
            f'What to do: {AFTER_DAMAGE}.'
        )

    def reset(self) -> None:
        """Discard the results for an earlier file; call this after opening a file."""
        self.damage, self.is_done, self._file = '', False, object()

    def note(self, error: Exception) -> None:
        """Record the damage of the open file that an error of SQLite shows, if any."""
        if is_damage(error):
            self.damage = str(error)

    def reject_if_damaged(self) -> None:
        """Raise StoreError if the file is known to be damaged."""
        if self.damage:
            raise StoreError(self.problem)

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """
        Check the whole file, while other connections can read and write.

        Args:
            should_stop: called before a check begins; returns whether to stop, with
                :attr:`is_done` still false.  Once it returns true, call :meth:`interrupt` to stop
                a check that is running.

        Raises:
            StoreError: if the file cannot be opened or read.  If it can be opened but not read,
                it counts as checked.
        """
        with as_store_error('check', self._path):
            while not (self.is_done or should_stop()):
                file = self._file
                with closing(open_for_reading(self._path)) as connection:
                    try:
                        damage = self._quick_check(connection, should_stop)
                    except BaseException:
                        self.is_done = True
                        raise
                # Discard the result if another file has been opened since.
                if damage is not None and file is self._file:
                    self.damage, self.is_done = damage or self.damage, True

    def interrupt(self) -> None:
        """Interrupt a running check without blocking; :meth:`run` then checks again or stops."""
        self._interrupted = True
        running = self._running
        if running is not None:
            with suppress(sqlite3.ProgrammingError):  # the connection was closed
                running.interrupt()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Interrupt a running check; :meth:`run` checks again after the ``with`` block."""
        with self._pause:
            self.interrupt()
            yield

    def _quick_check(
        self, connection: sqlite3.Connection, should_stop: Callable[[], bool]
    ) -> str | None:
        """Return the damage: '' if there is none, None if the check was interrupted."""
        # Keep a statement unfinished: otherwise, an interruption between two statements has no
        # effect (https://www.sqlite.org/c3ref/interrupt.html).
        unfinished = connection.execute('SELECT 1 UNION ALL SELECT 2')
        # An interruption before this line is not lost: the next lines wait for paused(), and call
        # should_stop().
        self._interrupted, self._running = False, connection
        try:
            with self._pause:
                pass
            if should_stop():
                return None
            with closing(unfinished):
                (verdict,) = connection.execute('PRAGMA quick_check(1)').fetchone()
                if verdict == 'ok':
                    verdict = mixed_states(connection) or verdict
        except sqlite3.DatabaseError as error:
            if not (self._interrupted or is_damage(error)):
                raise
            verdict = str(error)
        finally:
            self._running = None
        if self._interrupted:
            return None
        return '' if verdict == 'ok' else ' '.join(verdict.split())
