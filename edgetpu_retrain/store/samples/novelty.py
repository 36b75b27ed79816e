# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
NoveltyCheck: measures how far a new sample is from the nearest sample of its class.

The distance is the cosine distance, 1 - cos, from 0 (same direction) to 2 (opposite direction).
The newest samples of the classes that were compared last are cached as unit vectors.
"""

from __future__ import annotations

from collections import OrderedDict

from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.newest_vectors import NewestVectors, unit_vectors
from edgetpu_retrain.store.samples.snapshot import Snapshot

MAX_COMPARED = 4096
"""Maximum number of samples with which a sample is compared: the newest ones of its class."""

MAX_CACHED_BYTES = 64 * 1024 * 1024
"""Maximum memory of the cache, bytes: 4096 embeddings of 4096 float32 values."""

Version = tuple[int, tuple[object, int]]
"""
:attr:`NoveltyCheck.changes`, then :meth:`Snapshot.data_version` of the writing connection.

They are read in this order, so that a change by another thread in between outdates the version.
"""


class NoveltyCheck:
    """
    Computes distances to the samples of one database.

    Call :meth:`read` before a write transaction, so that :meth:`distance` has little to read
    during the transaction.  Call :meth:`clear` if the transaction fails.  Only :meth:`outdate` is
    thread-safe.

    Attributes:
        changes: number of calls of :meth:`outdate`.
    """

    def __init__(self) -> None:
        self._classes: OrderedDict[tuple[str, str], NewestVectors] = OrderedDict()
        self._connection: object = None
        self.changes = 0

    def is_current(self, version: Version, extractor: str, label: str) -> bool:
        """Return whether the cache has the samples of a class at a version."""
        known = self._classes.get((extractor, label))
        return known is not None and known.version == version

    def read(
        self,
        samples: Snapshot,
        extractor: str,
        kind: EmbeddingKind,
        label: str,
        version: Version,
    ) -> None:
        """
        Read the newest samples of a class into the cache, without those that it already has.

        Args:
            samples: a snapshot of the store.
            extractor: identity of the extractor.
            kind: kind of the extractor's embeddings.
            label: name of the class.
            version: the :data:`Version` of ``samples``, or an earlier one.

        Raises:
            StoreError: if a sample of the class is damaged.
        """
        key = extractor, label
        known = self._classes.setdefault(
            key, NewestVectors(kind.dimension, MAX_COMPARED, MAX_CACHED_BYTES)
        )
        known.version = None
        ids = samples.newest_ids_of_class(label, known.most, extractor=extractor)
        missing = known.keep(ids)
        self._reserve(key, len(ids))
        known.read(samples, extractor, kind, missing, f'of class {label!a}')
        known.version = version

    def distance(
        self,
        samples: Snapshot,
        extractor: str,
        kind: EmbeddingKind,
        embedding: RawArray,
        label: str,
    ) -> float:
        """
        Return the distance of an embedding to the nearest of the newest samples of a class.

        Args:
            samples: a snapshot in a write transaction.
            extractor: identity of the extractor.
            kind: kind of the extractor's embeddings.
            embedding: raw embedding ``[D]``.
            label: name of the class.

        Returns:
            The distance, 0 to 2; infinity if the class has no samples.  An embedding of zeros has
            no direction: its distance is 0 to another embedding of zeros, and 1 to all others.

        Raises:
            StoreError: if a sample of the class is damaged.
        """
        connection, _ = others = samples.data_version()
        if self._connection not in (None, connection):
            # A new connection may have opened another file, in which ids belong to other samples.
            self.clear()
        self._connection = connection
        version = self.changes, others
        if not self.is_current(version, extractor, label):
            self.read(samples, extractor, kind, label, version)
        known = self._classes[extractor, label]
        return known.distance(unit_vectors(embedding, kind.quantization))

    def added(
        self, sample_id: int, extractor: str, kind: EmbeddingKind, embedding: RawArray, label: str
    ) -> None:
        """Add to the cache a sample that was just stored, with its raw embedding ``[D]``."""
        known = self._classes.get((extractor, label))
        if known is not None:
            self._reserve((extractor, label), known.count + 1)
            known.add([sample_id], [unit_vectors(embedding, kind.quantization)])

    def outdate(self) -> None:
        """Mark all cached classes as outdated; call it in the transaction of a change."""
        self.changes += 1

    def clear(self) -> None:
        """Empty the cache; call it if added samples were not stored."""
        self._classes.clear()

    def _reserve(self, key: tuple[str, str], count: int) -> None:
        """Make room for samples of a class; evict the classes that were used longest ago."""
        self._classes.move_to_end(key)
        known = self._classes[key]
        rows = known.rows_for(count)
        others = sum(each.num_bytes for each in self._classes.values()) - known.num_bytes
        while others > 0 and others + rows * known.row_bytes > MAX_CACHED_BYTES:
            others -= self._classes.popitem(last=False)[1].num_bytes
        known.resize(rows)
