# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Snapshot: reads samples in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
import sqlite3
from types import NoneType
from typing import Any

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import (
    embedding_digest,
    StoredPicture,
    StoredSample,
    TrainingSet,
)
import numpy as np

LARGEST_ID = 2**63 - 1
"""Largest row id; SQLite accepts no larger integer in a query."""


class MalformedRowError(sqlite3.DatabaseError):
    """
    A row in the database is damaged.

    In STRICT tables, SQLite checks types when it writes, but not when it reads, so a query of a
    damaged file can return values of any type.  The exception is a sqlite3.DatabaseError, so that
    it is reported like damage that SQLite itself finds.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f'malformed row: {what}')


class Snapshot:
    """
    The samples as one transaction sees them; other programs may write at the same time.

    Args:
        connection: a connection in a transaction.
        path: the SQLite file, for messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def rows(
        self, sql: str, *types: type | tuple[type, ...], **values: object
    ) -> Iterator[tuple[Any, ...]]:
        """
        Iterate over the rows of a query, and check the type of each value.

        Args:
            sql: the query.
            types: type of each column; a tuple of types if the column may be NULL.
            values: the named parameters of the query.

        Raises:
            MalformedRowError: if a value has another type.
        """
        for row in self._connection.execute(sql, values):
            for value, expected in zip(row, types, strict=True):
                if not isinstance(value, expected):
                    raise MalformedRowError(
                        f'a column holds {type(value).__name__} in a row with {row[0]!a:.40}'
                    )
            yield row

    def total(self) -> int:
        """Return the number of all samples."""
        return self._count('SELECT COUNT(*) FROM samples')

    def count(self, extractor: str) -> int:
        """Return the number of embeddings by the extractor with this identity."""
        return self._count(queries.COUNT_EMBEDDINGS, extractor=extractor)

    def data_version(self) -> tuple[object, int]:
        """
        Return a value that changes whenever another connection writes.

        Values of different connections are not comparable; see
        https://www.sqlite.org/pragma.html#pragma_data_version.
        """
        return self._connection, self._count('PRAGMA data_version')

    def kinds(self) -> dict[str, EmbeddingKind]:
        """
        Return the kind of each extractor's embeddings, by extractor identity.

        Extractors without samples are left out.

        Raises:
            StoreError, MalformedRowError: if the file is damaged.
        """
        kinds = {}
        for _, identity in list(self.rows(queries.EXTRACTORS_WITH_SAMPLES, int, str)):
            found = self.find_extractor(identity)
            if found is None:
                # The extractor is in the table, but not in the index that find_extractor() uses.
                raise MalformedRowError(f'extractor {identity[:12]!a} is not in its index')
            kinds[identity] = found[1]
        return kinds

    def find_extractor(self, identity: str) -> tuple[int, EmbeddingKind] | None:
        """
        Return the row id of an extractor and the kind of its embeddings; None if it has no row.

        Args:
            identity: identity of the extractor.

        Raises:
            StoreError, MalformedRowError: if the row is damaged.
        """
        types = int, int, str, (float, NoneType), (int, NoneType)
        for row in self.rows(queries.EXTRACTOR, *types, extractor=identity):
            extractor_id, *fields = row
            try:
                return extractor_id, EmbeddingKind.from_fields(*fields)
            except (ValueError, TypeError) as error:
                raise StoreError(
                    f'{self._path} is damaged where it describes extractor {identity[:12]}: '
                    f'{error}. What to do: {AFTER_DAMAGE}.'
                ) from error
        return None

    def newest(
        self, label: str, limit: int, *, extractor: str, before: int = 0
    ) -> tuple[StoredSample, ...]:
        """
        Return samples, newest first.

        Args:
            label: class name; '' = all classes.
            limit: maximum number of samples; 0 = all.
            extractor: identity of the extractor; samples of other extractors are not listed.
            before: only samples with a smaller id; 0 = all.
        """
        rows = self.rows(
            queries.NEWEST_SAMPLES,
            *_STORED_SAMPLE,
            extractor=extractor,
            label=label,
            limit=limit or -1,
            last=before - 1 if before else LARGEST_ID,
        )
        return tuple(map(_stored_sample, rows))

    def newest_ids(self, label: str, limit: int, *, extractor: str) -> list[int]:
        """Return the ids of the samples that :meth:`newest` returns."""
        values = {'extractor': extractor, 'label': label, 'limit': limit or -1}
        rows = self.rows(queries.NEWEST_IDS, int, last=LARGEST_ID, **values)
        return [sample_id for (sample_id,) in rows]

    def newest_ids_of_class(self, label: str, limit: int, *, extractor: str) -> list[int]:
        """
        Return the ids of the newest samples of a class, newest first.

        Unlike :meth:`newest_ids`, this method reads no samples of other classes.

        Args:
            label: class name.
            limit: maximum number of samples, 1 or more.
            extractor: identity of the extractor; samples of other extractors are not listed.
        """
        values = {'extractor': extractor, 'label': label, 'limit': limit}
        return [sample_id for (sample_id,) in self.rows(queries.NEWEST_OF_CLASS, int, **values)]

    def samples(self) -> Iterator[tuple[StoredSample, tuple[str, ...]]]:
        """
        Iterate over all samples, oldest first.

        Yields:
            A sample, and the identities of the extractors of its embeddings, in the order of
            :meth:`kinds`.

        Raises:
            MalformedRowError: if the file is damaged.
        """
        identities = dict(self.rows(queries.EXTRACTORS_WITH_SAMPLES, int, str))
        for *sample, embedded_by in self.rows(queries.SAMPLES, *_STORED_SAMPLE, (str, NoneType)):
            try:
                numbers = sorted(map(int, embedded_by.split(','))) if embedded_by else []
                extractors = tuple(identities[number] for number in numbers)
            except (ValueError, KeyError) as error:
                raise MalformedRowError(
                    f'sample {sample[0]} has embeddings of extractors that are not there'
                ) from error
            yield _stored_sample(sample), extractors

    def labels(self) -> Iterator[tuple[int, str]]:
        """Iterate over the id and the label of each sample, oldest first."""
        return self.rows(queries.LABELS, int, str)

    def embeddings(
        self, extractor: str, kind: EmbeddingKind, sample_id: int | None = None
    ) -> Iterator[tuple[int, str, str, bytes]]:
        """
        Iterate over the samples of an extractor, oldest first.

        Args:
            extractor: identity of the extractor.
            kind: kind of its embeddings.
            sample_id: id of the only sample to read; None = all.

        Yields:
            The id, the label and the recording of a sample, and the stored bytes of its
            embedding.

        Raises:
            StoreError: if an embedding has the wrong length.
            MalformedRowError: if the file is damaged in another way.
        """
        sql = queries.EMBEDDINGS if sample_id is None else queries.EMBEDDING
        for number, name, recording, data in self.rows(
            sql, int, str, str, bytes, extractor=extractor, sample_id=sample_id
        ):
            if len(data) != kind.num_bytes:
                raise StoreError(
                    f'Sample {number} ({name!r}) in {self._path} has {len(data)} bytes where '
                    f'{kind.num_bytes} are needed: the file is damaged. What to do: restore a '
                    f'backup, or remove the class {name!r} and teach it again.'
                )
            yield number, name, recording, data

    def digests(self) -> dict[bytes, str]:
        """
        Return the label of each sample, by the digest of each of its embeddings.

        Raises:
            StoreError, MalformedRowError: if the file is damaged.
        """
        names: dict[str, str] = {}
        return {
            embedding_digest(identity, data): names.setdefault(label, label)
            for identity, kind in self.kinds().items()
            for _, label, _, data in self.embeddings(identity, kind)
        }

    def picture(self, sample_id: int) -> StoredPicture | None:
        """Return the picture of a sample; None if the sample has no picture or does not exist."""
        value = sample_id if abs(sample_id) <= LARGEST_ID else None
        rows = self.rows(queries.PICTURE, int, str, bytes, sample_id=value)
        return next((StoredPicture(*row) for row in rows), None)

    def training_set(self, extractor: str) -> TrainingSet:
        """
        Copy all samples of one extractor into memory, oldest first.

        Args:
            extractor: identity of the extractor.

        Returns:
            The samples; with embeddings ``[0, 0]`` if the extractor is not known.

        Raises:
            StoreError, MalformedRowError: if the file is damaged.
        """
        found = self.find_extractor(extractor)
        if found is None:
            return TrainingSet(np.empty((0, 0), np.uint8), np.empty(0, np.int64), (), None)
        _, kind = found
        count = self.count(extractor)
        self._check_memory(count * kind.num_bytes)
        # Allocate the whole array now, because a list of rows would need twice the memory.
        raw = np.empty((count, kind.dimension), np.dtype(kind.dtype))
        ids: list[int] = []
        labels: list[int] = []
        recordings: list[int] = []
        names: dict[str, int] = {}
        recording_names: dict[str, int] = {}
        for index, (sample_id, label, recording, data) in enumerate(
            self.embeddings(extractor, kind)
        ):
            if index == count:
                raise MalformedRowError(f'there are more embeddings than the {count} in the index')
            raw[index] = kind.from_disk(data)
            ids.append(sample_id)
            labels.append(names.setdefault(label, len(names)))
            recordings.append(recording_names.setdefault(recording, len(recording_names)))
        # With a damaged index, count() may return more embeddings than the table has.
        return TrainingSet(
            raw[: len(ids)],
            np.array(labels, np.int64),
            tuple(names),
            kind.quantization,
            np.array(ids, np.int64),
            np.array(recordings, np.int64),
        )

    def _check_memory(self, num_bytes: int) -> None:
        """Raise MalformedRowError if embeddings would be larger than the file that stores them."""
        size = self._count('PRAGMA page_count') * self._count('PRAGMA page_size')
        if num_bytes > size:
            raise MalformedRowError(
                f'embeddings of {num_bytes} bytes cannot be in a file of {size}'
            )

    def _count(self, sql: str, **values: object) -> int:
        return int(self._connection.execute(sql, values).fetchone()[0])


# The types of the columns of a StoredSample.
_STORED_SAMPLE = int, str, str, int, int, int, int, str


def _stored_sample(row: Sequence[Any]) -> StoredSample:
    sample_id, label, camera, stamp_ns, has_image, *times = row
    return StoredSample(sample_id, label, camera, stamp_ns, bool(has_image), *times)
