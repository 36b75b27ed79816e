# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The extractors that samples were embedded with, as rows of the database."""

from __future__ import annotations

from pathlib import Path
import sqlite3
from types import NoneType

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.database.typed_rows import typed_rows
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind


def find_extractor(
    connection: sqlite3.Connection, path: Path, identity: str
) -> tuple[int, EmbeddingKind] | None:
    """
    Return the row id of an extractor and the kind of its embeddings, None when it is new.

    Args:
        connection: in a transaction.
        path: the database, for messages.
        identity: the SHA-256 of the extractor's file.

    Raises:
        StoreError: when the row is damaged.
    """
    rows = connection.execute(
        'SELECT id, dimension, dtype, scale, zero_point FROM extractors WHERE identity = ?',
        (identity,),
    )
    row = next(typed_rows(rows, int, int, str, (float, NoneType), (int, NoneType)), None)
    if row is None:
        return None
    extractor_id, dimension, dtype, scale, zero_point = row
    quantization = None if scale is None else QuantizationParameters(scale, zero_point or 0)
    try:
        return extractor_id, EmbeddingKind(dimension, dtype, quantization)
    except ValueError as error:
        raise StoreError(
            f'{path} is damaged where it describes extractor {identity[:12]}: {error}. '
            'What to do: restore a backup, or move the file away and teach again.'
        ) from error


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
        quantization = kind.quantization
        return inserted_row(
            connection.execute(
                'INSERT INTO extractors (identity, dimension, dtype, scale, zero_point) '
                'VALUES (?, ?, ?, ?, ?)',
                (
                    identity,
                    kind.dimension,
                    kind.dtype,
                    quantization and quantization.scale,
                    quantization and quantization.zero_point,
                ),
            )
        )
    extractor_id, stored = found
    if stored != kind:
        raise StoreError(
            f'The sample was not stored: extractor {identity[:12]} gave {kind}, but its '
            f'samples in {path} are {stored}. What to do: use the extractor with which '
            'they were made, or another data_dir.'
        )
    return extractor_id


def inserted_row(cursor: sqlite3.Cursor) -> int:
    """Return the id of the row that an INSERT has just made."""
    assert cursor.lastrowid is not None  # None only before the first INSERT
    return cursor.lastrowid
