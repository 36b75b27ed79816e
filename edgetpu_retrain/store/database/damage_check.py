# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""DamageCheck: what is known about the damage of a database, and a check of the whole file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database.schema import open_for_reading
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE, as_store_error, is_damage


class DamageCheck:
    """
    Looks for damage in a whole database, on a connection of its own; thread-safe.

    Args:
        path: the database.

    Attributes:
        damage: the damage of the open file, as SQLite describes it; '' = none is known.
        is_done: whether the open file needs no check: it was checked, or no file is open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Locked while no check may run.
        self._pause = threading.Lock()
        self._running: sqlite3.Connection | None = None
        self._interrupted = False
        self._file = object()
        self.damage = ''
        self.is_done = True

    @property
    def problem(self) -> str:
        """The damage as a sentence with what to do; '' = none is known."""
        return self.damage and (
            f'{self._path} is damaged ({self.damage}), so nothing is written into it. '
            f'What to do: {AFTER_DAMAGE}.'
        )

    def reset(self) -> None:
        """Forget the results for an earlier file, because a file was opened."""
        self.damage, self.is_done, self._file = '', False, object()

    def note(self, error: Exception) -> None:
        """Remember an error of the open file if it shows damage."""
        if is_damage(error):
            self.damage = str(error)

    def reject_if_damaged(self) -> None:
        """Raise StoreError if the file is known to be damaged."""
        if self.damage:
            raise StoreError(self.problem)

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """
        Check the whole file, which can be read and written at the same time.

        Args:
            should_stop: returns whether to return early, with :attr:`is_done` still false.  Call
                :meth:`interrupt` after its value has become true.

        Raises:
            StoreError: if the file cannot be read; it counts as checked if it could be opened.
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
        """Interrupt a running check, without blocking; it begins again unless it should stop."""
        self._interrupted = True
        running = self._running
        if running is not None:
            with suppress(sqlite3.ProgrammingError):  # the connection was closed
                running.interrupt()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Interrupt a running check; it begins again after the ``with`` block."""
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
        # An interruption before this line is not lost: the pause or should_stop() shows it.
        self._interrupted, self._running = False, connection
        try:
            with self._pause:
                pass
            if should_stop():
                return None
            with closing(unfinished):
                (verdict,) = connection.execute('PRAGMA quick_check(1)').fetchone()
        except sqlite3.DatabaseError as error:
            if not (self._interrupted or is_damage(error)):
                raise
            verdict = str(error)
        finally:
            self._running = None
        if self._interrupted:
            return None
        return '' if verdict == 'ok' else ' '.join(verdict.split())
