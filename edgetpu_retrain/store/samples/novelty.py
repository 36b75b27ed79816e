# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
NoveltyCheck: the distance of a new sample to the nearest of the newest samples of its class.

This is the cosine distance, 1 - cos, from 0 (same direction) to 2 (opposite direction).  The
samples of the classes that were compared last are cached as unit vectors, with their ids.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.snapshot import Snapshot
import numpy as np

MAX_COMPARED = 4096
"""Maximum number of samples with which a sample is compared: the newest ones of its class."""

MAX_CACHED_BYTES = 64 * 1024 * 1024
"""Maximum memory of the cache, bytes: 4096 embeddings of 4096 float32 values."""

# Number of values to convert at a time.
_CHUNK = 2**18

# Smaller distances of float32 unit vectors are rounding errors.
_ROUNDING = 1e-6

Version = tuple[int, tuple[object, int]]
"""
:attr:`NoveltyCheck.changes`, then :meth:`Snapshot.data_version` of the writing connection.

They are read in this order, so that a change by another thread in between outdates the version.
"""


class NoveltyCheck:
    """
    Computes distances to the samples of one database.

    Call :meth:`read` before a write transaction, so that :meth:`distance` and :meth:`added` find
    little to read in it, and :meth:`clear` if the transaction fails.  Only :meth:`outdate` is
    thread-safe.

    Attributes:
        changes: number of calls of :meth:`outdate`.
    """

    def __init__(self) -> None:
        self._classes: OrderedDict[tuple[str, str], _NewestSamples] = OrderedDict()
        self._connection: object = None
        self.changes = 0

    def is_current(self, version: Version, extractor: str, label: str) -> bool:
        """Return whether the cached samples of a class are those of a version."""
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
        Read those of the newest samples of a class that the cache lacks.

        Args:
            samples: the samples, in any transaction.
            extractor: identity of the extractor.
            kind: kind of the extractor's embeddings.
            label: name of the class.
            version: the :data:`Version` of ``samples``, or an earlier one.

        Raises:
            StoreError: if a sample of the class is damaged.
        """
        key = extractor, label
        known = self._classes.setdefault(key, _NewestSamples(kind.dimension))
        known.version = None
        ids = samples.newest_ids_of_class(label, known.most, extractor=extractor)
        missing = known.keep(ids)
        self._reserve(key, len(ids))
        step = max(1, _CHUNK // kind.dimension)
        for start in range(0, len(missing), step):
            end = start + step
            part = missing[start:end]
            rows = [
                kind.from_disk(data)
                for sample_id in part
                for *_, data in samples.embeddings(extractor, kind, sample_id)
            ]
            if len(rows) != len(part):
                raise StoreError(
                    f'{len(part)} samples of class {label!a} are listed, but {len(rows)} were '
                    f'found: the database is damaged. What to do: {AFTER_DAMAGE}.'
                )
            known.add(part, unit_vectors(np.stack(rows), kind.quantization))
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
            samples: the samples, in a write transaction.
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
            # Another file may have replaced the earlier one, with other samples of the same ids.
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
        """Add a stored sample's raw embedding ``[D]``, which was compared, to its class."""
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


class _NewestSamples:
    """
    Unit vectors of the newest samples of a class, in no particular order.

    Args:
        dimension: D, the length of an embedding.

    Attributes:
        most: maximum number of samples.
        count: number of samples.
        row_bytes: size of a vector, bytes.
        version: the version of all samples when they were read; None if reading has failed.
    """

    def __init__(self, dimension: int) -> None:
        self.row_bytes = 4 * dimension
        self.most = max(1, min(MAX_COMPARED, MAX_CACHED_BYTES // self.row_bytes))
        self.count = 0
        self.version: Version | None = None
        self._ids: list[int] = []
        self._rows = np.empty((0, dimension), np.float32)

    @property
    def num_bytes(self) -> int:
        return self._rows.nbytes

    def rows_for(self, count: int) -> int:
        """Return how many rows the array should have for a number of samples."""
        have = len(self._rows)
        # Growing is cheap, because the system moves a large array without copying it.
        return have if count <= have else min(count + count // 8, self.most)

    def resize(self, rows: int) -> None:
        self._rows.resize((rows, self._rows.shape[1]), refcheck=False)

    def keep(self, ids: Iterable[int]) -> list[int]:
        """Forget all samples but those with the given ids; return the ids that are missing."""
        wanted = dict.fromkeys(ids)
        for index in reversed(range(self.count)):
            if self._ids[index] in wanted:
                del wanted[self._ids[index]]
            else:
                self.count -= 1
                self._rows[index] = self._rows[self.count]
                self._ids[index] = self._ids[self.count]
                self._ids.pop()
        return list(wanted)

    def add(self, ids: Iterable[int], vectors: Iterable[FloatArray]) -> None:
        """Add samples; if there are too many, replace the oldest ones."""
        for sample_id, vector in zip(ids, vectors, strict=True):
            if self.count < self.most:
                self._ids.append(sample_id)
                self._rows[self.count] = vector
                self.count += 1
            else:
                oldest = min(range(self.count), key=self._ids.__getitem__)
                self._ids[oldest] = sample_id
                self._rows[oldest] = vector

    def distance(self, vector: FloatArray) -> float:
        """Return the cosine distance of a vector ``[D]``, of length 1 or 0, to the nearest row."""
        rows = self._rows[: self.count]
        if not len(rows):
            return float('inf')
        if not vector.any():
            return 1.0 if rows.any(axis=1).all() else 0.0
        distance = 1.0 - float((rows @ vector).max())
        return distance if distance > _ROUNDING else 0.0


def unit_vectors(embeddings: RawArray, quantization: QuantizationParameters | None) -> FloatArray:
    """
    Scale embeddings to vectors of length 1; vectors of zeros stay unchanged.

    Args:
        embeddings: raw embeddings ``[..., D]``.
        quantization: their quantization; None for float32.

    Returns:
        float32 ``[..., D]``.
    """
    # Use float64, because the square of a large float32 overflows.
    reals = dequantize(embeddings, quantization).astype(np.float64)
    lengths = np.linalg.norm(reals, axis=-1, keepdims=True)
    units: FloatArray = (reals / np.where(lengths, lengths, 1.0)).astype(np.float32)
    return units
