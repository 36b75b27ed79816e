# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
What the sample store asks of its database, inside a transaction of the caller.

In the SQL, ``:extractor`` is the identity of an extractor, the SHA-256 of its file, and ``:label``
a class name, '' where all classes are meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
import operator
from pathlib import Path
import sqlite3
import time
from types import NoneType

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.database.typed_rows import MalformedRowError, typed_rows
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import CarriedSample, NewSample, SampleSet, StoredPicture
from edgetpu_retrain.wording import named
import numpy as np

LARGEST_ID = 2**63 - 1
"""Ids are SQLite's; it could not even be asked about larger ones."""

MAX_CLASSES = 1000
"""Names in one store; the confusion matrix of so many has a million entries, and is one answer."""

# ruff: noqa: S608 - SQL is only put together from the constants of this module.

# The samples that an extractor has embedded; by sample_id they come in the order of the index.
_EMBEDDED = """
    FROM embeddings JOIN samples ON samples.id = embeddings.sample_id
    WHERE extractor_id = (SELECT id FROM extractors WHERE identity = :extractor)
"""
# And those that it has not.
_UNEMBEDDED = f"""
    FROM samples LEFT JOIN images ON images.sample_id = samples.id
    WHERE samples.id NOT IN (SELECT sample_id {_EMBEDDED})
"""

COUNT_CLASSES = f'SELECT label, COUNT(*) {_EMBEDDED} GROUP BY label ORDER BY MIN(samples.id)'
COUNT_EXTRACTORS = """
    SELECT identity, COUNT(*)
    FROM extractors JOIN embeddings ON extractor_id = extractors.id
    GROUP BY identity ORDER BY MAX(sample_id) DESC, identity
"""
COUNT_UNEMBEDDED = f'SELECT COUNT(*), COUNT(images.sample_id) {_UNEMBEDDED}'
UNEMBEDDED_WITH_IMAGE = f"""
    SELECT samples.id {_UNEMBEDDED} AND images.sample_id IS NOT NULL ORDER BY samples.id
"""
NEWEST = f"""
    SELECT samples.id, label, camera, stamp_ns,
        EXISTS (SELECT 1 FROM images WHERE images.sample_id = samples.id), addition, added_ns
    {_EMBEDDED} AND (label = :label OR :label = '') ORDER BY sample_id DESC LIMIT :limit
"""
REMOVE_NEWEST = f"""
    DELETE FROM samples WHERE id IN (
        SELECT sample_id
        {_EMBEDDED} AND (label = :label OR :label = '') ORDER BY sample_id DESC LIMIT :limit
    )
"""
LAST_ADDITION = f"""
    WITH taught AS (SELECT samples.id, label, addition {_EMBEDDED})
    SELECT id, label FROM taught WHERE addition = (SELECT MAX(addition) FROM taught) ORDER BY id
"""
RELABEL_CLASS = f"""
    UPDATE samples SET label = :new_label
    WHERE label = :label AND id IN (SELECT sample_id {_EMBEDDED})
"""


def find_extractor(
    connection: sqlite3.Connection, path: Path, identity: str
) -> tuple[int, EmbeddingKind] | None:
    """
    Return the row id of an extractor and the kind of its embeddings, None when it is new.

    Raises:
        StoreError: when the row is damaged.
    """
    rows = connection.execute(
        'SELECT id, dimension, dtype, scale, zero_point FROM extractors WHERE identity = ?',
        (identity,),
    )
    for row in typed_rows(rows, int, int, str, (float, NoneType), (int, NoneType)):
        extractor_id, dimension, dtype, scale, zero_point = row
        quantization = None if scale is None else QuantizationParameters(scale, zero_point or 0)
        try:
            return extractor_id, EmbeddingKind(dimension, dtype, quantization)
        except ValueError as error:
            raise StoreError(
                f'{path} is damaged where it describes extractor {identity[:12]}: {error}. '
                'What to do: restore a backup, or move the file away and teach again.'
            ) from error
    return None


def extractor_row(
    connection: sqlite3.Connection, path: Path, identity: str, kind: EmbeddingKind
) -> int:
    """
    Return the row id of an extractor, made when it is new.

    Args:
        connection: in a writing transaction.
        path: the database, for messages.
        identity: the SHA-256 of the extractor's file.
        kind: of an embedding that it gave.

    Raises:
        StoreError: when its earlier embeddings are of another kind.
    """
    found = find_extractor(connection, path, identity)
    if found is None:
        meaning = kind.quantization
        numbers = (meaning.scale, meaning.zero_point) if meaning else (None, None)
        return _insert(
            connection,
            'extractors (identity, dimension, dtype, scale, zero_point)',
            (identity, kind.dimension, kind.dtype, *numbers),
        )
    extractor_id, stored = found
    if stored != kind:
        raise StoreError(
            f'The sample was not stored: extractor {identity[:12]} gave {kind}, but its '
            f'samples in {path} are {stored}. What to do: use the extractor with which '
            'they were made, or another data_dir.'
        )
    return extractor_id


def embeddings_of(
    connection: sqlite3.Connection, path: Path, identity: str, kind: EmbeddingKind, label: str = ''
) -> Iterator[tuple[int, str, bytes]]:
    """
    Go through id, label and embedding of an extractor's samples; of all, oldest first.

    Args:
        connection: in a transaction.
        path: the database, for messages.
        identity: the SHA-256 of the extractor's file.
        kind: of its embeddings, which decides what the bytes mean.
        label: of the class, '' = of all.

    Raises:
        StoreError: when an embedding is not as long as the others.
    """
    # The index of labels would not be used with an order, nor as in NEWEST.
    which = 'AND label = :label' if label else 'ORDER BY sample_id'
    sql = f'SELECT sample_id, label, data {_EMBEDDED} {which}'
    rows = connection.execute(sql, {'extractor': identity, 'label': label})
    for sample_id, name, data in typed_rows(rows, int, str, bytes):
        if len(data) != kind.num_bytes:
            raise StoreError(
                f'Sample {sample_id} ({name!r}) in {path} has {len(data)} bytes where '
                f'{kind.num_bytes} are needed: the file is damaged. What to do: restore a '
                f'backup, or remove the class {name!r} and teach it again.'
            )
        yield sample_id, name, data


def count_embeddings(connection: sqlite3.Connection, identity: str) -> int:
    """Return how many embeddings there are of an extractor."""
    values = {'extractor': identity}
    return int(connection.execute(f'SELECT COUNT(*) {_EMBEDDED}', values).fetchone()[0])


def read_sample_set(connection: sqlite3.Connection, path: Path, identity: str) -> SampleSet:
    """
    Copy all samples of one extractor, oldest first.

    Args:
        connection: in a transaction.
        path: the database, for messages.
        identity: the SHA-256 of the extractor's file.

    Raises:
        StoreError: when a sample is damaged.
    """
    found = find_extractor(connection, path, identity)
    if found is None:
        return SampleSet(np.empty((0, 0), np.uint8), np.empty(0, np.int64), (), None)
    _, kind = found
    count = count_embeddings(connection, identity)
    _check_memory(connection, count * kind.num_bytes)
    # Filled in place: a list of rows would need the memory twice.
    raw = np.empty((count, kind.dimension), np.dtype(kind.dtype))
    ids: list[int] = []
    labels: list[int] = []
    names: dict[str, int] = {}
    rows = embeddings_of(connection, path, identity, kind)
    for index, (sample_id, label, data) in enumerate(rows):
        if index == count:
            raise MalformedRowError(f'there are more embeddings than the {count} in the index')
        raw[index] = kind.from_disk(data)
        ids.append(sample_id)
        labels.append(names.setdefault(label, len(names)))
    # There are fewer where somebody removed samples and left their embeddings behind.
    return SampleSet(
        raw[: len(ids)],
        np.array(labels, np.int64),
        tuple(names),
        kind.quantization,
        np.array(ids, np.int64),
    )


def _check_memory(connection: sqlite3.Connection, num_bytes: int) -> None:
    """Refuse to take memory for more embeddings than a file of this size can hold."""
    ((pages,), (page_size,)) = (
        connection.execute(f'PRAGMA {name}').fetchone() for name in ('page_count', 'page_size')
    )
    if num_bytes > pages * page_size:
        raise MalformedRowError(
            f'embeddings of {num_bytes} bytes cannot be in a file of {pages * page_size}'
        )


def picture(connection: sqlite3.Connection, sample_id: int) -> StoredPicture | None:
    """Return the picture of a sample, None when it has none or is not there."""
    rows = connection.execute(
        'SELECT sample_id, label, jpeg FROM images JOIN samples ON samples.id = sample_id '
        'WHERE sample_id = ?',
        (sample_id if abs(sample_id) <= LARGEST_ID else None,),
    )
    return next((StoredPicture(*row) for row in typed_rows(rows, int, str, bytes)), None)


def insert(
    connection: sqlite3.Connection,
    sample: NewSample | CarriedSample,
    embedded: Mapping[int, bytes],
    addition: int,
) -> int:
    """
    Add a sample with its picture and its embeddings; return its id.

    Args:
        connection: in a writing transaction.
        sample: what to add.
        embedded: row of each extractor to the bytes that it made of the sample.
        addition: id of the first sample of the same request, 0 when this is the first.

    Raises:
        RequestError: when its class would be one too many.
    """
    check_class(connection, sample.label)
    added_ns = sample.added_ns or time.time_ns()
    sample_id = _insert(
        connection,
        'samples (label, camera, stamp_ns, addition, added_ns)',
        (sample.label, sample.camera, int(sample.stamp_ns), int(addition), added_ns),
    )
    if not addition:
        connection.execute('UPDATE samples SET addition = id WHERE id = ?', (sample_id,))
    if sample.image is not None:
        _insert(connection, 'images (sample_id, jpeg)', (sample_id, sample.image))
    for extractor_id, data in embedded.items():
        insert_embedding(connection, extractor_id, sample_id, data)
    return sample_id


def insert_embedding(
    connection: sqlite3.Connection, extractor_id: int, sample_id: int, data: bytes
) -> None:
    """Add an embedding, in place of the one that the sample may have of this extractor."""
    connection.execute(
        'INSERT OR REPLACE INTO embeddings (extractor_id, sample_id, data) VALUES (?, ?, ?)',
        (extractor_id, sample_id, data),
    )


def remove(connection: sqlite3.Connection, ids: Iterable[int]) -> int:
    """Delete samples; return how many ids were given."""
    rows = [(sample_id,) for sample_id in ids]
    connection.executemany('DELETE FROM samples WHERE id = ?', rows)
    return len(rows)


def check_ids(connection: sqlite3.Connection, ids: Iterable[int]) -> list[int]:
    """Return the ids of samples, each once; raise RequestError unless all are there."""
    wanted = list(dict.fromkeys(operator.index(sample_id) for sample_id in ids))
    missing = [sample_id for sample_id in wanted if not is_there(connection, sample_id)]
    if missing:
        listed = named(map(str, missing), len(missing))
        raise RequestError(
            f'There is no sample {listed}, so nothing was changed: list the samples to see which '
            'there are.'
        )
    return wanted


def check_class(connection: sqlite3.Connection, label: str) -> None:
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
    if not 1 <= sample_id <= LARGEST_ID:
        return False
    row = connection.execute('SELECT 1 FROM samples WHERE id = ?', (sample_id,)).fetchone()
    return row is not None


def _insert(connection: sqlite3.Connection, columns: str, values: tuple[object, ...]) -> int:
    """Add a row to a table; return its id."""
    places = ', '.join('?' * len(values))
    row = connection.execute(f'INSERT INTO {columns} VALUES ({places})', values).lastrowid
    assert row is not None  # None only before the first INSERT
    return row
