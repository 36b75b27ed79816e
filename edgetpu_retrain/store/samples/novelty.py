# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
NoveltyCheck: how far a new sample is from those that its class has already.

The distance is that of cosines, 1 - cos, from 0 (the same direction) to 2 (the opposite one).
The classes that are being taught are kept in memory as unit vectors, so that a sample costs one
product of a matrix and a vector and not a walk through the file.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from pathlib import Path
import sqlite3

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
import numpy as np

# Memory for classes besides the one that is being taught.
MAX_CACHED_BYTES = 64 * 1024 * 1024

_BLOCK_ROWS = 256
# Fewer rows where embeddings are absurdly long.
_MAX_BLOCK_BYTES = 8 * 1024 * 1024
# Float32 unit vectors tell no smaller distances from 0.
_ROUNDING = 1e-6


class NoveltyCheck:
    """
    The distances to the samples of one database.

    Every method is to be called inside a transaction of that database, except :meth:`added`,
    which is called after one; only one thread at a time may be between the two.

    Args:
        path: the database, for messages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._classes: OrderedDict[tuple[str, str], _UnitVectors] = OrderedDict()
        self._data_version = -1

    def distance(
        self,
        connection: sqlite3.Connection,
        extractor: str,
        kind: EmbeddingKind,
        label: str,
        embedding: RawArray,
    ) -> float:
        """
        Return the distance of an embedding to the nearest sample of a class.

        Args:
            connection: in a writing transaction.
            extractor: identity of the extractor.
            kind: of its embeddings.
            label: the class.
            embedding: raw ``[D]``.

        Returns:
            0 to 2; infinity when the class has no sample.  An embedding of zeros has no
            direction: it is 0 from another one of zeros and 1 from everything else.

        Raises:
            StoreError: when a sample of the class is damaged.
        """
        (data_version,) = connection.execute('PRAGMA data_version').fetchone()
        if data_version != self._data_version:
            # Another program has written (https://www.sqlite.org/pragma.html#pragma_data_version).
            self.forget()
            self._data_version = data_version
        key = extractor, label
        known = self._classes.get(key)
        if known is None:
            known = self._read(connection, extractor, kind, label)
            self._classes[key] = known
        self._classes.move_to_end(key)
        while len(self._classes) > 1 and self._num_bytes() > MAX_CACHED_BYTES:
            self._classes.popitem(last=False)
        return known.distance(_unit_vectors(embedding[np.newaxis], kind.quantization)[0])

    def added(self, extractor: str, kind: EmbeddingKind, label: str, embedding: RawArray) -> None:
        """Take note of a sample, raw ``[D]``, that was stored."""
        known = self._classes.get((extractor, label))
        if known is not None:
            known.append(_unit_vectors(embedding[np.newaxis], kind.quantization))

    def forget(self) -> None:
        """Take note that samples were changed or removed."""
        self._classes.clear()

    def _read(
        self, connection: sqlite3.Connection, extractor: str, kind: EmbeddingKind, label: str
    ) -> _UnitVectors:
        vectors = _UnitVectors(kind.dimension)
        rows = queries.embeddings_of(connection, self._path, extractor, kind, label)
        while block := [kind.from_disk(row[2]) for row in islice(rows, vectors.block_rows)]:
            vectors.append(_unit_vectors(np.stack(block), kind.quantization))
        return vectors

    def _num_bytes(self) -> int:
        return sum(vectors.num_bytes for vectors in self._classes.values())


class _UnitVectors:
    """A growing list of unit vectors, in blocks so that no growth copies what is there."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._blocks: list[FloatArray] = []
        row_bytes = dimension * np.dtype(np.float32).itemsize
        self.block_rows = min(_BLOCK_ROWS, max(1, _MAX_BLOCK_BYTES // row_bytes))
        self._in_last = self.block_rows

    @property
    def num_bytes(self) -> int:
        return sum(block.nbytes for block in self._blocks)

    def append(self, vectors: FloatArray) -> None:
        """Add vectors, ``[N, D]``."""
        while len(vectors):
            if self._in_last == self.block_rows:
                self._blocks.append(np.empty((self.block_rows, self._dimension), np.float32))
                self._in_last = 0
            start = self._in_last
            count = min(len(vectors), self.block_rows - start)
            self._in_last = end = start + count
            self._blocks[-1][start:end] = vectors[:count]
            vectors = vectors[count:]

    def distance(self, vector: FloatArray) -> float:
        """Return the distance of one, ``[D]``, to the nearest."""
        if not self._blocks:
            return float('inf')
        filled = [*self._blocks[:-1], self._blocks[-1][: self._in_last]]
        if not vector.any():
            return 1.0 if all(block.any(axis=1).all() for block in filled) else 0.0
        distance = 1.0 - max(float((block @ vector).max()) for block in filled)
        return distance if distance > _ROUNDING else 0.0


def _unit_vectors(embeddings: RawArray, quantization: QuantizationParameters | None) -> FloatArray:
    """Return raw embeddings ``[N, D]`` as vectors of length 1, zeros as they are."""
    # As float64, because the square of a large float32 is no float32.
    reals = dequantize(embeddings, quantization).astype(np.float64)
    lengths = np.linalg.norm(reals, axis=1, keepdims=True)
    units = np.divide(reals, lengths, out=np.zeros_like(reals), where=lengths > 0.0)
    return units.astype(np.float32)
