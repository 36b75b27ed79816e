# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Adding, removing and relabelling samples, each inside a transaction of the caller."""

from __future__ import annotations

from collections.abc import Iterable
import operator
import sqlite3
import time
from typing import NamedTuple

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.database.typed_rows import typed_rows
from edgetpu_retrain.store.samples.extractor_table import inserted_row
from edgetpu_retrain.store.samples.new_sample import NewSample
from edgetpu_retrain.wording import named

# Ids are SQLite's; it could not even be asked about larger ones.
_LARGEST_ID = 2**63 - 1

MAX_CLASSES = 1000
"""Names in one store; the confusion matrix of so many has a million entries, and is one answer."""


class Undone(NamedTuple):
    """What an undo took back."""

    label: str
    """Class name, or several with commas between them; '' when there was nothing to undo."""
    samples: int
    """How many are gone, 0 when there was nothing to undo."""


def insert(connection: sqlite3.Connection, sample: NewSample, addition: int) -> int:
    """
    Add a sample with its picture, but not its embedding; return its id.

    Args:
        connection: in a writing transaction.
        sample: what to add.
        addition: id of the first sample of the same request, 0 when this is the first.

    Raises:
        RequestError: when its class would be one too many.
    """
    _check_class(connection, sample.label)
    sample_id = inserted_row(
        connection.execute(
            'INSERT INTO samples (label, camera, stamp_ns, addition, added_ns) '
            'VALUES (?, ?, ?, ?, ?)',
            (
                sample.label,
                sample.camera,
                int(sample.stamp_ns),
                int(addition),
                sample.added_ns or time.time_ns(),
            ),
        )
    )
    if not addition:
        connection.execute('UPDATE samples SET addition = id WHERE id = ?', (sample_id,))
    if sample.image is not None:
        connection.execute(
            'INSERT INTO images (sample_id, jpeg) VALUES (?, ?)', (sample_id, sample.image)
        )
    return sample_id


def insert_embedding(
    connection: sqlite3.Connection, extractor_id: int, sample_id: int, data: bytes
) -> None:
    """Add an embedding, in place of the one that the sample may have of this extractor."""
    connection.execute(
        'INSERT OR REPLACE INTO embeddings (extractor_id, sample_id, data) VALUES (?, ?, ?)',
        (extractor_id, sample_id, data),
    )


def remove_newest(connection: sqlite3.Connection, label: str, newest: int, extractor: str) -> int:
    """
    Delete the newest samples of a class or of all, or a whole class; return how many.

    Raises:
        RequestError: when ``label`` is '' and ``newest`` 0, ``newest`` is negative, or no class
            can have this label.
    """
    if newest < 0:
        raise RequestError(
            f'n is {newest}: ask for 1 or more of the newest samples, or 0 with a label '
            'to remove the whole class.'
        )
    if not label and not newest:
        raise RequestError(
            'Neither a label nor a number of samples is given, which would remove '
            'everything: name the class to remove, or how many of the newest samples.'
        )
    if label:
        check_label(label, taught_before=True)
    return connection.execute(
        """
        DELETE FROM samples WHERE id IN (
            SELECT samples.id
            FROM extractors
            JOIN embeddings ON extractor_id = extractors.id
            JOIN samples ON samples.id = sample_id
            WHERE identity = ?1 AND (label = ?2 OR ?2 = '')
            ORDER BY samples.id DESC
            LIMIT ?3
        )
        """,
        (extractor, label, min(newest, _LARGEST_ID) or -1),
    ).rowcount


def remove_ids(connection: sqlite3.Connection, ids: Iterable[int]) -> int:
    """Delete single samples, return how many; raise RequestError when one is not there."""
    rows = [(sample_id,) for sample_id in _checked_ids(connection, ids)]
    connection.executemany('DELETE FROM samples WHERE id = ?', rows)
    return len(rows)


def remove_last_addition(connection: sqlite3.Connection, extractor: str) -> Undone:
    """Delete the samples of the last request that stored any."""
    rows = connection.execute(
        """
        WITH taught AS (
            SELECT samples.id, label, addition
            FROM extractors
            JOIN embeddings ON extractor_id = extractors.id
            JOIN samples ON samples.id = sample_id
            WHERE identity = ?
        )
        SELECT id, label FROM taught
        WHERE addition = (SELECT MAX(addition) FROM taught)
        ORDER BY id
        """,
        (extractor,),
    )
    taught = list(typed_rows(rows, int, str))
    connection.executemany('DELETE FROM samples WHERE id = ?', [(row[0],) for row in taught])
    # Samples of one request differ in their labels when some were relabelled since.
    return Undone(', '.join(dict.fromkeys(label for _, label in taught)), len(taught))


def relabel_class(
    connection: sqlite3.Connection, label: str, new_label: str, extractor: str
) -> int:
    """
    Give the samples of a class another label; return how many there were.

    Raises:
        RequestError: when a label is refused or both are the same.
    """
    check_label(label, taught_before=True)
    check_label(new_label)
    if label == new_label:
        raise RequestError(f'The class is called {label!r} already: give it another label.')
    _check_class(connection, new_label)
    return connection.execute(
        """
        UPDATE samples SET label = ?3
        WHERE label = ?2 AND id IN (
            SELECT sample_id
            FROM extractors JOIN embeddings ON extractor_id = extractors.id
            WHERE identity = ?1
        )
        """,
        (extractor, label, new_label),
    ).rowcount


def relabel_ids(connection: sqlite3.Connection, ids: Iterable[int], new_label: str) -> int:
    """
    Give single samples another label; return how many they are.

    Raises:
        RequestError: when the label is refused or a sample is not there.
    """
    check_label(new_label)
    _check_class(connection, new_label)
    rows = [(new_label, sample_id) for sample_id in _checked_ids(connection, ids)]
    connection.executemany('UPDATE samples SET label = ? WHERE id = ?', rows)
    return len(rows)


def _checked_ids(connection: sqlite3.Connection, ids: Iterable[int]) -> list[int]:
    """Return the ids of samples, each once, all of which are there."""
    wanted = list(dict.fromkeys(operator.index(sample_id) for sample_id in ids))
    missing = [sample_id for sample_id in wanted if not is_there(connection, sample_id)]
    if missing:
        listed = named(map(str, missing), len(missing))
        raise RequestError(
            f'There is no sample {listed}, so nothing was changed: list the samples to see which '
            'there are.'
        )
    return wanted


def _check_class(connection: sqlite3.Connection, label: str) -> None:
    """Refuse a class that is new where there are as many as there may be."""
    known = connection.execute('SELECT 1 FROM samples WHERE label = ? LIMIT 1', (label,))
    if known.fetchone() is not None:
        return
    (classes,) = connection.execute('SELECT COUNT(DISTINCT label) FROM samples').fetchone()
    if classes >= MAX_CLASSES:
        raise RequestError(
            f'{label!r} would be one class more than the {MAX_CLASSES} that there may be: remove '
            'or relabel one, or set another data_dir.'
        )


def is_there(connection: sqlite3.Connection, sample_id: int) -> bool:
    """Tell whether there is a sample of this id."""
    if not 1 <= sample_id <= _LARGEST_ID:
        return False
    row = connection.execute('SELECT 1 FROM samples WHERE id = ?', (sample_id,)).fetchone()
    return row is not None
