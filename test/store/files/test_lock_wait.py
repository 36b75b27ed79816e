# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for a database that another connection has locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.files.lock_wait import wait_while_locked
import pytest


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return a connection that has locked the database."""
    with closing(sqlite3.connect(tmp_path / 'held.db', isolation_level=None)) as connection:
        connection.execute('CREATE TABLE mugs (name TEXT)')
        connection.execute('BEGIN IMMEDIATE')
        yield connection


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return a connection that needs the lock."""
    path = tmp_path / 'held.db'
    with closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as connection:
        yield connection


def test_waits_until_the_database_is_free(
    other: sqlite3.Connection, waiting: sqlite3.Connection
) -> None:
    tries: list[None] = []

    def begin() -> str:
        tries.append(None)
        if len(tries) == 3:
            other.execute('ROLLBACK')
        waiting.execute('BEGIN IMMEDIATE')
        return 'begun'

    assert wait_while_locked(begin) == 'begun'
    assert len(tries) == 3


@pytest.mark.usefixtures('other')
def test_waiting_stops_at_shutdown(waiting: sqlite3.Connection) -> None:
    asked = iter([False, False, True])
    with pytest.raises(sqlite3.OperationalError, match='is locked'):
        wait_while_locked(lambda: waiting.execute('BEGIN IMMEDIATE'), lambda: next(asked))
    assert not list(asked)


@pytest.mark.usefixtures('other')
def test_waiting_times_out(waiting: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', 0.0)
    with pytest.raises(sqlite3.OperationalError, match='is locked'):
        wait_while_locked(lambda: waiting.execute('BEGIN IMMEDIATE'))


def test_other_errors_are_raised_at_once(waiting: sqlite3.Connection) -> None:
    tries: list[None] = []

    def look() -> None:
        tries.append(None)
        waiting.execute('SELECT * FROM spoons')

    with pytest.raises(sqlite3.OperationalError, match='no such table'):
        wait_while_locked(look)
    assert len(tries) == 1
