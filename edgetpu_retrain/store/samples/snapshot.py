# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SampleSnapshot: a walk through all samples of all extractors, as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import sqlite3
from types import NoneType
from typing import NamedTuple

from edgetpu_retrain.store.database.typed_rows import MalformedRowError, typed_rows
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import embedding_digest


class SnapshotRow(NamedTuple):
    """One sample, without its numbers and pixels."""

    sample_id: int
    label: str
    camera: str
    stamp_ns: int
    added_ns: int
    has_image: bool
    extractors: tuple[str, ...]
    """Identities of those that have seen it, in the order of :meth:`SampleSnapshot.kinds`."""


class SampleSnapshot:
    """
    The samples at one moment, for as long as a transaction lasts.

    Other programs write on meanwhile.  Nothing is held in memory.

    Args:
        connection: in a transaction.
        path: the database, for messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        # SQLite takes the snapshot at the first look, not at BEGIN.
        (self._total,) = connection.execute('SELECT COUNT(*) FROM samples').fetchone()

    def kinds(self) -> dict[str, EmbeddingKind]:
        """
        Return the extractors that have samples, by identity, and what their embeddings are.

        Raises:
            StoreError: when the file is damaged.
        """
        rows = self._connection.execute(
            'SELECT identity FROM extractors WHERE EXISTS ('
            'SELECT 1 FROM embeddings WHERE extractor_id = extractors.id) ORDER BY id'
        )
        kinds = {}
        for (identity,) in list(typed_rows(rows, str)):
            found = queries.find_extractor(self._connection, self._path, identity)
            if found is None:
                # It is in the table, in the same transaction, and not in its index.
                raise MalformedRowError(f'extractor {identity[:12]!a} is not in its index')
            kinds[identity] = found[1]
        return kinds

    def count(self, identity: str) -> int:
        """Return how many samples an extractor has."""
        return queries.count_embeddings(self._connection, identity)

    def total(self) -> int:
        """Return how many samples there are."""
        return int(self._total)

    def samples(self) -> Iterator[SnapshotRow]:
        """Go through the samples, oldest first."""
        extractors_rows = self._connection.execute('SELECT id, identity FROM extractors')
        identities = dict(typed_rows(extractors_rows, int, str))
        rows = self._connection.execute(
            """
            SELECT samples.id, label, camera, stamp_ns, added_ns,
                EXISTS (SELECT 1 FROM images WHERE images.sample_id = samples.id),
                (SELECT GROUP_CONCAT(extractor_id) FROM embeddings WHERE sample_id = samples.id)
            FROM samples ORDER BY samples.id
            """
        )
        for row in typed_rows(rows, int, str, str, int, int, int, (str, NoneType)):
            *fields, has_image, seen_by = row
            try:
                numbers = sorted(map(int, seen_by.split(','))) if seen_by else []
                extractors = tuple(identities[number] for number in numbers)
            except (ValueError, KeyError) as error:
                raise MalformedRowError(
                    f'sample {row[0]} was seen by extractors that are not there'
                ) from error
            yield SnapshotRow(*(*fields, bool(has_image), extractors))

    def embeddings(self, identity: str, kind: EmbeddingKind) -> Iterator[tuple[str, bytes]]:
        """
        Go through label and embedding of an extractor's samples, oldest first.

        Args:
            identity: of the extractor.
            kind: of its embeddings, which decides what the bytes mean.

        Raises:
            StoreError: when one is damaged.
        """
        rows = queries.embeddings_of(self._connection, self._path, identity, kind)
        return ((label, data) for _, label, data in rows)

    def digests(self) -> dict[bytes, str]:
        """
        Return what stands for each embedding of each extractor, and the label of its sample.

        Raises:
            StoreError: when the file is damaged.
        """
        names: dict[str, str] = {}
        return {
            embedding_digest(identity, data): names.setdefault(label, label)
            for identity, kind in self.kinds().items()
            for label, data in self.embeddings(identity, kind)
        }

    def picture(self, sample_id: int) -> bytes | None:
        """Return the stored JPEG file of a sample, None when it has none."""
        stored = queries.picture(self._connection, sample_id)
        return stored.jpeg if stored else None
