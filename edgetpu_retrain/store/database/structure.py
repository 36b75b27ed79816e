# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Defines the tables of the sample store, and rejects files whose tables differ.

Samples and embeddings are separate tables: a sample is relabelled or removed once for all
extractors, and another extractor can embed it again if its picture is stored.

Removed samples are in separate tables, so that no query for samples finds them.  They are deleted
when no change in the journal refers to them any more.

Questions are frames, or samples of the fleet, that wait for a label.  A question that was labelled
or dismissed is closed.  Undo can open it again.  It is deleted when no change in the journal
refers to it any more.

A malicious file may have endless views instead of tables, triggers that fill the disk, or
expressions that need gigabytes of memory.  A file is therefore rejected if it has triggers, or if
anything but a plain table has the name of a table below.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing
from functools import cache
from pathlib import Path
import re
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE

JOURNAL_TABLES = (
    """
    CREATE TABLE changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,   -- a later change has a larger one
        kind TEXT NOT NULL,                     -- one of store.samples.change.Kind
        made_ns INTEGER NOT NULL,               -- nanoseconds since 1970
        addition INTEGER NOT NULL,              -- that of the added samples, otherwise 0
        undone INTEGER NOT NULL DEFAULT 0       -- 1 from undo to redo
    ) STRICT
    """,
    """
    CREATE TABLE changed_samples (
        change_id INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
        sample_id INTEGER NOT NULL,
        old_label TEXT NOT NULL,                -- '' = it was not there
        new_label TEXT NOT NULL,                -- '' = it was removed
        PRIMARY KEY (change_id, sample_id)
    ) STRICT
    """,
    'CREATE INDEX changes_of_sample ON changed_samples (sample_id)',
    """
    CREATE TABLE removed_samples (
        id INTEGER PRIMARY KEY,                 -- all columns as in samples
        label TEXT NOT NULL,
        camera TEXT NOT NULL,
        stamp_ns INTEGER NOT NULL,
        addition INTEGER NOT NULL,
        added_ns INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE removed_embeddings (
        extractor_id INTEGER NOT NULL REFERENCES extractors (id),
        sample_id INTEGER NOT NULL REFERENCES removed_samples (id) ON DELETE CASCADE,
        data BLOB NOT NULL,
        PRIMARY KEY (sample_id, extractor_id)
    ) STRICT
    """,
    """
    CREATE TABLE removed_images (
        sample_id INTEGER PRIMARY KEY REFERENCES removed_samples (id) ON DELETE CASCADE,
        jpeg BLOB NOT NULL
    ) STRICT
    """,
)
"""The last changes, and the samples that they removed."""

RECORDING_COLUMNS = tuple(
    f"ALTER TABLE {table} ADD COLUMN recording TEXT NOT NULL DEFAULT ''"
    for table in ('samples', 'removed_samples')
)
"""The recording of each sample; '' = not known, as for samples of earlier releases."""

QUESTION_TABLES = (
    """
    CREATE TABLE questions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused
        kind TEXT NOT NULL,                     -- one of store.questions.question.QuestionKind
        camera TEXT NOT NULL,
        stamp_ns INTEGER NOT NULL,              -- the image's stamp, nanoseconds, 0 = none
        asked_ns INTEGER NOT NULL,              -- when it was stored, nanoseconds since 1970
        classification TEXT NOT NULL,           -- JSON: [[label, score], ...], best first
        model_version INTEGER NOT NULL,
        extractor_id INTEGER NOT NULL REFERENCES extractors (id),
        data BLOB NOT NULL,                     -- as in embeddings
        jpeg BLOB,                              -- NULL = no picture is stored
        closed INTEGER NOT NULL DEFAULT 0       -- 1 while it is labelled or dismissed
    ) STRICT
    """,
    """
    CREATE TABLE changed_questions (
        change_id INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
        question_id INTEGER NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
        sample_id INTEGER NOT NULL,             -- the sample that it became, 0 = it was dismissed
        PRIMARY KEY (change_id, question_id)
    ) STRICT
    """,
    'CREATE INDEX changes_of_question ON changed_questions (question_id)',
    'CREATE INDEX questions_of_sample ON changed_questions (sample_id)',
)
"""The questions, and which of them the last changes have closed."""

TABLES = (
    """
    CREATE TABLE extractors (
        id INTEGER PRIMARY KEY,
        identity TEXT NOT NULL UNIQUE,   -- SHA-256 of the extractor's .tflite file
        dimension INTEGER NOT NULL,      -- numbers in each of its embeddings
        dtype TEXT NOT NULL,             -- 'uint8', 'int8' or 'float32' (little-endian)
        scale REAL,                      -- NULL for float32
        zero_point INTEGER               -- NULL for float32
    ) STRICT
    """,
    """
    CREATE TABLE samples (
        id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused
        label TEXT NOT NULL,
        camera TEXT NOT NULL,                   -- '' = not given with the picture
        stamp_ns INTEGER NOT NULL,              -- the image's stamp, nanoseconds, 0 = none
        addition INTEGER NOT NULL,              -- id of the first sample of the same request
        added_ns INTEGER NOT NULL DEFAULT 0     -- when it was stored, nanoseconds since 1970
    ) STRICT
    """,
    'CREATE INDEX samples_of_label ON samples (label)',
    """
    CREATE TABLE embeddings (
        extractor_id INTEGER NOT NULL REFERENCES extractors (id),
        sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
        data BLOB NOT NULL,                     -- dimension numbers of dtype
        PRIMARY KEY (extractor_id, sample_id)
    ) STRICT
    """,
    'CREATE INDEX embeddings_of_sample ON embeddings (sample_id)',
    """
    CREATE TABLE images (
        sample_id INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE,
        jpeg BLOB NOT NULL                      -- the picture, where the user wants it kept
    ) STRICT
    """,
    *JOURNAL_TABLES,
    *RECORDING_COLUMNS,
    *QUESTION_TABLES,
)

# The columns that must be SQLite's row id (INTEGER PRIMARY KEY).
_ROW_NUMBERS = {
    ('extractors', 'id'),
    ('samples', 'id'),
    ('images', 'sample_id'),
    ('changes', 'id'),
    ('removed_samples', 'id'),
    ('removed_images', 'sample_id'),
    ('questions', 'id'),
}
# Columns with row numbers of another table, whose new rows get ever greater numbers.
_NUMBERS = (
    ('changed_samples', 'change_id', 'changes'),
    ('changed_questions', 'change_id', 'changes'),
    ('changed_questions', 'question_id', 'questions'),
    ('changed_samples', 'sample_id', 'samples'),
    ('embeddings', 'sample_id', 'samples'),
    ('images', 'sample_id', 'samples'),
    ('removed_samples', 'id', 'samples'),
)
_DEFAULTS = (None, '0', "''")
_CHECK = re.compile(r'\bCHECK\b', re.IGNORECASE)
# The column number (cid) of an expression in PRAGMA index_xinfo
# (https://www.sqlite.org/pragma.html#pragma_index_xinfo).
_EXPRESSION = -2

Schema = tuple[tuple[str, str, str, str | None], ...]
"""Rows of sqlite_master: type, name, name of the table, and the statement that created it."""

_accepted: deque[Schema] = deque(maxlen=1)


@cache
def _own_columns() -> dict[str, dict[str, str]]:
    """Return the type of each column of :data:`TABLES`, by table name and column name."""
    columns: dict[str, dict[str, str]] = {}
    with closing(sqlite3.connect(':memory:')) as own:
        own.executescript(';'.join(TABLES))
        for table, column, kind in own.execute(
            'SELECT tables.name, columns.name, columns.type '
            'FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns '
            "WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite%'"
        ):
            columns.setdefault(table, {})[column] = kind
    return columns


def check_structure(connection: sqlite3.Connection, path: Path) -> None:
    """
    Reject a database that has triggers, or tables that differ from :data:`TABLES`.

    Missing and additional tables are accepted; the first query of a missing table fails.

    Args:
        connection: a connection to the database.
        path: the file, for the message.

    Raises:
        StoreError: if the database is rejected.
        sqlite3.Error: if it cannot be read.
    """
    schema = tuple(connection.execute('SELECT type, name, tbl_name, sql FROM sqlite_master'))
    # Each read opens a connection, and opening it calls this function.  The result depends only
    # on the text of the schema, so an accepted schema is not checked again.
    if schema in _accepted:
        return
    problem = _problem(connection, schema)
    if problem:
        raise StoreError(
            f'{path} was not made by this package alone, as it has {problem}: nothing was '
            f'changed. What to do: {AFTER_DAMAGE}.'
        )
    _accepted.append(schema)


def mixed_states(connection: sqlite3.Connection) -> str:
    """
    Return which rows are from a later state of the database than others; '' = none.

    If the write-ahead log is lost during a checkpoint, the file has pages of two states.  SQLite's
    own checks do not find this, and the number of the next row may be in use already.
    """
    tables = {name for (name,) in connection.execute('SELECT name FROM sqlite_master')}
    for table, column, numbered in _NUMBERS:
        if not tables >= {table, numbered, 'sqlite_sequence'}:
            continue
        # One statement, because others may write between two.
        (is_later,) = connection.execute(
            f'SELECT (SELECT MAX({column}) FROM {table}) > '  # noqa: S608
            '(SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?)',
            (numbered,),
        ).fetchone()
        if is_later:
            return f'{table} has rows that are later than the last of {numbered}'
    return ''


def _problem(connection: sqlite3.Connection, schema: Schema) -> str:
    for kind, name, _, sql in schema:
        if kind == 'trigger':
            return f'a trigger {name!a:.60}'
        table = str(name).lower()
        if table in _own_columns() and (kind != 'table' or _CHECK.search(str(sql))):
            return f'no plain table {table}'
    present = {str(name).lower() for _, name, _, _ in schema}
    for table in filter(present.__contains__, _own_columns()):
        problem = _problem_of_table(connection, table) or _problem_of_indices(connection, table)
        if problem:
            return problem
    return ''


def _problem_of_table(connection: sqlite3.Connection, table: str) -> str:
    lists = connection.execute(f'PRAGMA main.table_list({table})').fetchall()
    # The columns of this pragma: schema, name, type, number of columns, without rowid, strict.
    if [(row[2], row[4], row[5]) for row in lists] != [('table', 0, 1)]:
        return f'no plain strict table {table}'
    for row in connection.execute(f'PRAGMA main.table_xinfo({table})'):
        _, column, kind, _, default, key, hidden = row
        if _own_columns()[table].get(column) != kind or hidden or default not in _DEFAULTS:
            return f'a column {column!a:.60} of type {kind!a:.20} in table {table}'
        if (table, column) in _ROW_NUMBERS and key != 1:
            return f'no row numbers in table {table}'
    return ''


def _problem_of_indices(connection: sqlite3.Connection, table: str) -> str:
    for row in connection.execute(f'PRAGMA main.index_list({table})').fetchall():
        _, name, _, _, partial = row
        # This form of the pragma accepts the name as a parameter, so no name can inject SQL.
        columns = connection.execute('SELECT cid FROM pragma_index_xinfo(?)', (name,))
        if partial or any(cid == _EXPRESSION for (cid,) in columns):
            return f'an index {name!a:.60} of expressions on table {table}'
    return ''
