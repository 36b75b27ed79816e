# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes: adds, relabels and removes samples within one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import operator
import time

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.snapshot import LARGEST_ID, Snapshot
from edgetpu_retrain.wording import named

MAX_CLASSES = 1000
"""Of one store; the confusion matrix of so many has a million entries, in one action result."""


class Changes(Snapshot):
    """The samples in a write transaction; every change of a sample is made here."""

    def extractor_row(self, identity: str, kind: EmbeddingKind) -> int:
        """
        Return the row id of an extractor; insert the row if there is none.

        Args:
            identity: the SHA-256 of the extractor's file.
            kind: of one of its embeddings.

        Raises:
            StoreError: if its earlier embeddings are of another kind.
        """
        found = self.find_extractor(identity)
        if found is None:
            return self._insert('extractors', identity=identity, **kind.to_fields())
        extractor_id, stored = found
        if stored != kind:
            raise StoreError(
                f'The sample was not stored: extractor {identity[:12]} gave {kind}, but its '
                f'samples in {self._path} are {stored}. What to do: use the extractor with which '
                'they were made, or another data_dir.'
            )
        return extractor_id

    def add(self, sample: Sample, embeddings: Mapping[int, bytes], addition: int) -> int:
        """
        Add a sample with its picture and its embeddings; return its id.

        Args:
            sample: the sample; its embeddings are not read.
            embeddings: bytes to store, by the row id of their extractor.
            addition: id of the first sample of the same request, 0 if this is the first.

        Raises:
            RequestError: if its class would be one too many.
        """
        self._check_class(sample.label)
        sample_id = self._insert(
            'samples',
            label=sample.label,
            camera=sample.camera,
            stamp_ns=int(sample.stamp_ns),
            addition=addition,
            added_ns=sample.added_ns or time.time_ns(),
        )
        if not addition:
            self._connection.execute('UPDATE samples SET addition = id WHERE id = ?', (sample_id,))
        if sample.image is not None:
            self._insert('images', sample_id=sample_id, jpeg=sample.image)
        for extractor_id, data in embeddings.items():
            self.add_embedding(extractor_id, sample_id, data)
        return sample_id

    def add_embedding(self, extractor_id: int, sample_id: int, data: bytes) -> None:
        """Add an embedding of a sample; an earlier one of this extractor is replaced."""
        self._connection.execute(
            'INSERT OR REPLACE INTO embeddings (extractor_id, sample_id, data) VALUES (?, ?, ?)',
            (extractor_id, sample_id, data),
        )

    def remove(self, ids: Iterable[int]) -> int:
        """Delete samples; return their number."""
        rows = [(sample_id,) for sample_id in ids]
        self._connection.executemany('DELETE FROM samples WHERE id = ?', rows)
        return len(rows)

    def relabel(self, ids: Iterable[int], label: str) -> int:
        """
        Move samples to another class; return their number.

        Raises:
            RequestError: if the class would be one too many.
        """
        self._check_class(label)
        rows = [(label, sample_id) for sample_id in ids]
        self._connection.executemany('UPDATE samples SET label = ? WHERE id = ?', rows)
        return len(rows)

    def checked_ids(self, ids: Iterable[int]) -> list[int]:
        """Return the ids of samples, each once; raise RequestError unless all exist."""
        wanted = list(dict.fromkeys(operator.index(sample_id) for sample_id in ids))
        missing = [sample_id for sample_id in wanted if not self.exists(sample_id)]
        if missing:
            listed = named(map(str, missing), len(missing))
            raise RequestError(
                f'There is no sample {listed}, so nothing was changed: list the samples to see '
                'which there are.'
            )
        return wanted

    def exists(self, sample_id: int) -> bool:
        """Return whether there is a sample of this id."""
        return 1 <= sample_id <= LARGEST_ID and bool(
            self._count('SELECT EXISTS (SELECT 1 FROM samples WHERE id = :id)', id=sample_id)
        )

    def _check_class(self, label: str) -> None:
        """Raise RequestError if a label would add one class too many."""
        if self._count('SELECT EXISTS (SELECT 1 FROM samples WHERE label = :label)', label=label):
            return
        if self._count('SELECT COUNT(DISTINCT label) FROM samples') >= MAX_CLASSES:
            raise RequestError(
                f'{label!r} would be one class more than the {MAX_CLASSES} that there may be: '
                'remove or relabel one, or set another data_dir.'
            )

    def _insert(self, table: str, **values: object) -> int:
        """Insert a row; return its id."""
        columns, places = ', '.join(values), ', '.join(f':{name}' for name in values)
        sql = f'INSERT INTO {table} ({columns}) VALUES ({places})'  # noqa: S608
        row = self._connection.execute(sql, values).lastrowid
        assert row is not None  # None only before the first INSERT
        return row
