# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Whether a file's tables are plain ones of ours, so that reading and writing do what they say.

A file from elsewhere may bear our mark and have, under the names of our tables, views that never
end, triggers that fill the disk or expressions that ask for gigabytes.  Nothing of the kind is
looked into: whatever is not a plain table with our columns is refused.
"""

from __future__ import annotations

from pathlib import Path
import re
import sqlite3

from edgetpu_retrain.errors import StoreError

# Each column's type; those that came with later releases may be missing.
_COLUMNS: dict[str, dict[str, str]] = {
    'extractors': {
        'id': 'INTEGER',
        'identity': 'TEXT',
        'dimension': 'INTEGER',
        'dtype': 'TEXT',
        'scale': 'REAL',
        'zero_point': 'INTEGER',
    },
    'samples': {
        'id': 'INTEGER',
        'label': 'TEXT',
        'camera': 'TEXT',
        'stamp_ns': 'INTEGER',
        'addition': 'INTEGER',
        'added_ns': 'INTEGER',
    },
    'embeddings': {'extractor_id': 'INTEGER', 'sample_id': 'INTEGER', 'data': 'BLOB'},
    'images': {'sample_id': 'INTEGER', 'jpeg': 'BLOB'},
}
# Where a row's number is the column itself.
_ROW_NUMBERS = {('extractors', 'id'), ('samples', 'id'), ('images', 'sample_id')}
_DEFAULTS = (None, '0')
_CHECK = re.compile(r'\bCHECK\b', re.IGNORECASE)
# What PRAGMA index_xinfo says of an indexed expression (https://www.sqlite.org/pragma.html).
_EXPRESSION = -2


def check_structure(connection: sqlite3.Connection, path: Path) -> None:
    """
    Refuse a database with triggers, or with anything but our plain tables under their names.

    A table that is missing is no matter here: who needs it is told.

    Args:
        connection: to the database.
        path: of it, for the message.

    Raises:
        StoreError: when it is refused; nothing was changed.
        sqlite3.Error: when it cannot be read.
    """
    problem = _problem(connection)
    if problem:
        raise StoreError(
            f'{path} was not made by this package alone, as it has {problem}: nothing was '
            'changed. What to do: restore a backup, or move it away and start again.'
        )


def _problem(connection: sqlite3.Connection) -> str:
    kinds = connection.execute('SELECT type, name, sql FROM sqlite_master').fetchall()
    for kind, name, sql in kinds:
        if kind == 'trigger':
            return f'a trigger {name!a:.60}'
        table = str(name).lower()
        if table in _COLUMNS and (kind != 'table' or _CHECK.search(str(sql))):
            return f'no plain table {table}'
    present = {str(name).lower() for _, name, _ in kinds}
    for table in filter(present.__contains__, _COLUMNS):
        problem = _problem_of_table(connection, table) or _problem_of_indices(connection, table)
        if problem:
            return problem
    return ''


def _problem_of_table(connection: sqlite3.Connection, table: str) -> str:
    lists = connection.execute(f'PRAGMA main.table_list({table})').fetchall()
    # The columns of this pragma: schema, name, type, columns, without row numbers, strict.
    if [(row[2], row[4], row[5]) for row in lists] != [('table', 0, 1)]:
        return f'no plain strict table {table}'
    for row in connection.execute(f'PRAGMA main.table_xinfo({table})'):
        _, column, kind, _, default, key, hidden = row
        if _COLUMNS[table].get(column) != kind or hidden or default not in _DEFAULTS:
            return f'a column {column!a:.60} of type {kind!a:.20} in table {table}'
        if (table, column) in _ROW_NUMBERS and key != 1:
            return f'no row numbers in table {table}'
    return ''


def _problem_of_indices(connection: sqlite3.Connection, table: str) -> str:
    for row in connection.execute(f'PRAGMA main.index_list({table})').fetchall():
        _, name, _, _, partial = row
        # As a function, which takes any name as a value.
        columns = connection.execute('SELECT cid FROM pragma_index_xinfo(?)', (name,))
        if partial or any(cid == _EXPRESSION for (cid,) in columns):
            return f'an index {name!a:.60} of expressions on table {table}'
    return ''
