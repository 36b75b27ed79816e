# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Rejects a damaged database, and renames a write-ahead log that does not belong to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.database.open_files import set_aside, SUFFIXES
from edgetpu_retrain.store.database.structure import check_structure, mixed_states
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE
from edgetpu_retrain.store.files.regular_file import check_regular_file, exists

# Number of SQLite instructions between two calls of ``is_ending``: some milliseconds.
_STEPS = 100_000


def reject_damage(path: Path, is_ending: Callable[[], bool]) -> None:
    """
    Check a database; if it is damaged only because of its write-ahead log, rename the log.

    A database that is damaged with its log, but not without it, has the log of another database or
    of an older state.  The function then keeps the database, and renames the log with
    :func:`set_aside`.  It never writes to the database.  A check takes about a second for each
    100 MB.

    Args:
        path: the database, which this process has not opened; it may not exist.
        is_ending: called repeatedly; returns whether to stop.

    Raises:
        StoreError: if the database is damaged without its log, too.
        OSError: if the path is not a regular file, or the log cannot be renamed.
        sqlite3.OperationalError: if the database cannot be read, or ``is_ending`` has returned
            true.
    """
    check_regular_file(path)
    if not exists(path) or not (damage := _damage(path, '', is_ending)):
        return
    if _damage(path, '&immutable=1', is_ending):
        raise StoreError(
            f'{path} is damaged ({damage}): it was changed while it was in use, and nothing more '
            f'is written to it. What to do: {AFTER_DAMAGE}.'
        )
    for suffix in SUFFIXES[1:]:
        file = Path(f'{path}{suffix}')
        if exists(file):
            set_aside(file)


def keep_log_without_database(path: Path) -> None:
    """
    Rename the log of a database that was moved or deleted; SQLite would delete the log.

    Args:
        path: the database, which this process has not opened.

    Raises:
        StoreError: if a log was renamed; the message contains the new path.
        OSError: if the log cannot be renamed, or the disk does not say what exists.
    """
    log = Path(f'{path}{SUFFIXES[1]}')
    if (exists(path) and path.stat().st_size) or not exists(log) or not log.stat().st_size:
        return
    kept = set_aside(log)
    raise StoreError(
        f'{path} is not there, but its write-ahead log was: it was kept as {kept}, and a new '
        'database is made at the next try. What to do: if the database was moved, give the log '
        "its new name with '-wal' at the end, and copy both with 'samples backup FILE'."
    )


def _damage(path: Path, option: str, is_ending: Callable[[], bool]) -> str:
    uri = f'{path.as_uri()}?mode=ro{option}'
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.set_progress_handler(is_ending, _STEPS)
        try:
            check_structure(connection, path)
            (verdict,) = connection.execute('PRAGMA integrity_check(1)').fetchone()
            if verdict == 'ok':
                verdict = mixed_states(connection) or verdict
        except sqlite3.OperationalError:
            raise
        except (StoreError, sqlite3.DatabaseError) as error:
            verdict = str(error)
    return '' if verdict == 'ok' else ' '.join(verdict.split())
