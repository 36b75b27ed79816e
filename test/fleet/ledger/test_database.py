# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The file fleet.db: whose it is, which release has written it, and who may read it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.fleet.ledger.database import FleetDatabase
from edgetpu_retrain.fleet.ledger.tables import SCHEMA_VERSION
import pytest


def opened(path: Path) -> None:
    """Open a fleet database and close it."""
    FleetDatabase(path).close()


@pytest.mark.parametrize(
    'script',
    ['CREATE TABLE photos (name TEXT)', 'PRAGMA application_id=7', 'PRAGMA user_version=3'],
)
def test_a_database_of_another_program_is_not_changed(tmp_path: Path, script: str) -> None:
    path = tmp_path / 'fleet.db'
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(script)
    before = path.read_bytes()
    with pytest.raises(StoreError, match='is a database of another program'):
        opened(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ['fleet.db']


def test_a_database_of_a_newer_release_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / 'fleet.db'
    opened(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f'PRAGMA user_version={SCHEMA_VERSION + 1}')
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf'newer release \(schema {SCHEMA_VERSION + 1};'):
        opened(path)
    assert path.read_bytes() == before


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / 'data' / 'fleet.db'
    with closing(FleetDatabase(path)) as database, database.transaction('change') as connection:
        connection.execute("INSERT INTO facts VALUES ('space', x'00')")
        files = list(path.parent.iterdir())
        assert {each.name for each in files} == {'fleet.db', 'fleet.db-wal', 'fleet.db-shm'}
        assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / 'fleet.db'
    before = b'no database' * 1000
    path.write_bytes(before)
    with pytest.raises(StoreError, match=r'which is damaged.*move it away'):
        opened(path)
    assert path.read_bytes() == before
