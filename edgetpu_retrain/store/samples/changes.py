# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes: adds, relabels and removes samples in one transaction."""

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
"""
Maximum number of classes in a store.

With this number, the confusion matrix in the result of an action has a million entries.
"""


class Changes(Snapshot):
    """The samples in a write transaction; all changes of samples are made here."""

    def extractor_row(self, identity: str, kind: EmbeddingKind) -> int:
        """
        Return the row id of an extractor; insert the row if it is missing.

        Args:
            identity: SHA-256 of the extractor's file.
            kind: kind of the extractor's embeddings.

        Raises:
            StoreError: if stored embeddings of the extractor are of another kind.
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
            sample: the sample; its field ``embeddings`` is ignored.
            embeddings: bytes to store of each embedding, by the row id of its extractor.
            addition: id of the first sample of the same request; 0 if this is the first.

        Raises:
            RequestError: if its class is new, and there are already :data:`MAX_CLASSES`.
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
        """Add an embedding of a sample; replace an earlier one by the same extractor."""
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
            RequestError: if the class is new, and there are already :data:`MAX_CLASSES`.
        """
        self._check_class(label)
        rows = [(label, sample_id) for sample_id in ids]
        self._connection.executemany('UPDATE samples SET label = ? WHERE id = ?', rows)
        return len(rows)

    def checked_ids(self, ids: Iterable[int]) -> list[int]:
        """Return ids without repetitions; raise RequestError unless all these samples exist."""
        wanted = list(dict.fromkeys(operator.index(sample_id) for sample_id in ids))
        missing = [sample_id for sample_id in wanted if not self.exists(sample_id)]
        if missing:
            listed = named([str(number) for number in missing])
            raise RequestError(
                f'There is no sample {listed}, so nothing was changed: list the samples to see '
                'which there are.'
            )
        return wanted

    def exists(self, sample_id: int) -> bool:
        """Return whether there is a sample with this id."""
        return 1 <= sample_id <= LARGEST_ID and bool(
            self._count('SELECT EXISTS (SELECT 1 FROM samples WHERE id = :id)', id=sample_id)
        )

    def _check_class(self, label: str) -> None:
        """Raise RequestError if a label is a new class, and there are already MAX_CLASSES."""
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
