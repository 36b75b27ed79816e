# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RobotTables: records the scanned samples and the asked questions in fleet.db."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
import sqlite3
import threading
from typing import NamedTuple

from edgetpu_retrain.store.files.disk_errors import as_store_error

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS own_rows (
        row INTEGER PRIMARY KEY,            -- id of the sample in samples.db
        sample BLOB NOT NULL,               -- its id in the fleet
        added_ns INTEGER NOT NULL           -- as in samples.db
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS asked_claims (
        sample BLOB NOT NULL,               -- id in the fleet
        digest TEXT NOT NULL,               -- of the claims about which the robot was asked
        question INTEGER NOT NULL,          -- id of the question in samples.db
        ask_again INTEGER NOT NULL,         -- 1 = ask again if these claims return
        PRIMARY KEY (sample, digest)
    ) STRICT, WITHOUT ROWID
    """,
)
# How long to wait while the ledger locks the file to commit up to a thousand claims.
_TIMEOUT_S = 30.0


class OwnRow(NamedTuple):
    """A row of samples.db that was scanned."""

    row: int
    """Id of the sample in samples.db."""
    sample: bytes
    """Id of the sample in the fleet."""
    added_ns: int
    """When the sample was stored, nanoseconds since 1970."""


class Asked(NamedTuple):
    """A question about a sample of the fleet."""

    sample: bytes
    """Id of the sample in the fleet."""
    digest: str
    """Digest of the claims about the sample when the question was asked."""
    question: int
    """Id of the question in samples.db."""
    ask_again: bool = False
    """Whether to ask again if these claims return, because an answer had changed them."""


class RobotTables:
    """
    Two tables, of the scanned rows and of the questions; thread-safe.

    If the tables are lost, all samples are scanned again, and all questions are asked again.

    Args:
        path: fleet.db, which the ledger has created.

    Raises:
        StoreError: if the file cannot be read or written; the methods raise it as well.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with as_store_error('open', path):
            self._connection = sqlite3.connect(
                path, timeout=_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        with self._writing() as connection:
            for statement in _TABLES:
                connection.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def own_rows(self) -> list[OwnRow]:
        """Return the rows of samples.db that were scanned."""
        with self._lock, as_store_error('read', self._path):
            return [
                OwnRow(*each)
                for each in self._connection.execute('SELECT row, sample, added_ns FROM own_rows')
            ]

    def change_own_rows(self, added: Iterable[OwnRow], deleted: Iterable[int] = ()) -> None:
        """Delete rows by their ids, then add rows; an added row replaces one with the same id."""
        with self._writing() as connection:
            connection.executemany(
                'DELETE FROM own_rows WHERE row = ?', [(row,) for row in deleted]
            )
            connection.executemany('INSERT OR REPLACE INTO own_rows VALUES (?, ?, ?)', added)

    def asked(self) -> list[Asked]:
        """Return the last question about each sample and state of its claims, open or closed."""
        with self._lock, as_store_error('read', self._path):
            return [
                Asked(sample, digest, question, bool(ask_again))
                for sample, digest, question, ask_again in self._connection.execute(
                    'SELECT sample, digest, question, ask_again FROM asked_claims'
                )
            ]

    def remember_asked(self, asked: Iterable[Asked]) -> None:
        """Store questions, in place of earlier ones about the same claims."""
        with self._writing() as connection:
            connection.executemany(
                'INSERT OR REPLACE INTO asked_claims VALUES (?, ?, ?, ?)', asked
            )

    def forget_asked(self, questions: Collection[int]) -> None:
        """Delete questions by their ids in samples.db."""
        self._change_asked('DELETE FROM asked_claims WHERE question = ?', questions)

    def ask_again(self, questions: Collection[int]) -> None:
        """Let questions, by their ids in samples.db, be asked again if their claims return."""
        self._change_asked('UPDATE asked_claims SET ask_again = 1 WHERE question = ?', questions)

    def _change_asked(self, sql: str, questions: Collection[int]) -> None:
        if not questions:
            return
        with self._writing() as connection:
            connection.executemany(sql, [(number,) for number in questions])

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, as_store_error('write to', self._path):
            self._connection.execute('BEGIN IMMEDIATE')
            with self._connection:  # commits, or rolls back
                yield self._connection
