# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SampleSet: all samples of one extractor in memory, and reading them from the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
import sqlite3

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.learning.arrays import IntArray
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.database.typed_rows import MalformedRowError, typed_rows
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.extractor_table import find_extractor
import numpy as np


@dataclass(frozen=True, eq=False)
class SampleSet:
    """
    All samples of one extractor at one moment.

    Args:
        embeddings: raw (still quantized) ``[N, D]`` in the extractor's dtype.
        labels: int64 ``[N]``, indices into ``names``.
        names: class names in the order in which they were first taught.
        quantization: what the numbers of ``embeddings`` mean; None for float32.
        ids: int64 ``[N]``, the samples' numbers in the store; empty when they are of none.
    """

    embeddings: RawArray
    labels: IntArray
    names: tuple[str, ...]
    quantization: QuantizationParameters | None
    ids: IntArray = field(default_factory=lambda: np.empty(0, np.int64))


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
    extractor_id, kind = found
    count = connection.execute(
        'SELECT COUNT(*) FROM embeddings WHERE extractor_id = ?', (extractor_id,)
    ).fetchone()[0]
    _check_room(connection, count * kind.num_bytes)
    # Filled in place: a list of rows would need the memory twice.
    embeddings = np.empty((count, kind.dimension), np.dtype(kind.dtype))
    labels = np.empty(count, np.int64)
    ids = np.empty(count, np.int64)
    names: dict[str, int] = {}
    cursor = connection.execute(
        """
        SELECT samples.id, label, data
        FROM embeddings JOIN samples ON samples.id = sample_id
        WHERE extractor_id = ?
        ORDER BY samples.id
        """,
        (extractor_id,),
    )
    filled = 0
    for index, (sample_id, label, data) in enumerate(typed_rows(cursor, int, str, bytes)):
        if index == count:
            raise MalformedRowError(f'there are more embeddings than the {count} in the index')
        check_length(path, sample_id, label, data, kind)
        embeddings[index] = kind.from_disk(data)
        labels[index] = names.setdefault(label, len(names))
        ids[index] = sample_id
        filled = index + 1
    # There are fewer where somebody removed samples and left their embeddings behind.
    return SampleSet(
        embeddings[:filled], labels[:filled], tuple(names), kind.quantization, ids[:filled]
    )


def _check_room(connection: sqlite3.Connection, num_bytes: int) -> None:
    """Refuse to take memory for more embeddings than a file of this size can hold."""
    pages, page_size = (
        connection.execute(f'PRAGMA {name}').fetchone()[0] for name in ('page_count', 'page_size')
    )
    if num_bytes > pages * page_size:
        raise MalformedRowError(
            f'embeddings of {num_bytes} bytes cannot be in a file of {pages * page_size}'
        )


def check_length(path: Path, sample_id: int, label: str, data: bytes, kind: EmbeddingKind) -> None:
    """Raise StoreError when an embedding on disk is not as long as those of its extractor."""
    if len(data) != kind.num_bytes:
        raise StoreError(
            f'Sample {sample_id} ({label!r}) in {path} has {len(data)} bytes where '
            f'{kind.num_bytes} are needed: the file is damaged. What to do: restore a '
            f'backup, or remove the class {label!r} and teach it again.'
        )
