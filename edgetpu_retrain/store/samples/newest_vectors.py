# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
NewestVectors: the newest samples as unit vectors in memory, for cosine distances.

A cosine distance is 1 - cos, from 0 (same direction) to 2 (opposite direction).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from edgetpu_retrain.store.files.disk_errors import AFTER_DAMAGE
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.snapshot import Snapshot
import numpy as np

# Number of values to convert at a time.
_CHUNK = 2**18

# Smaller distances of float32 unit vectors are rounding errors.
_ROUNDING = 1e-6


class NewestVectors:
    """
    Unit vectors of the newest samples of a class or of all classes, in no particular order.

    Args:
        dimension: D, the length of an embedding.
        most: maximum number of samples.
        most_bytes: maximum memory of the vectors, bytes.

    Attributes:
        most: maximum number of samples, which ``most_bytes`` may reduce.
        count: number of samples.
        row_bytes: size of a vector, bytes.
        version: version of the store when the samples were read, set by the caller; None = the
            samples must be read.
    """

    def __init__(self, dimension: int, most: int, most_bytes: int) -> None:
        self.row_bytes = 4 * dimension
        self.most = max(1, min(most, most_bytes // self.row_bytes))
        self.count = 0
        self.version: object = None
        self._ids: list[int] = []
        self._rows = np.empty((0, dimension), np.float32)

    @property
    def num_bytes(self) -> int:
        """Size of the array in memory, bytes, including unused rows."""
        return self._rows.nbytes

    def rows_for(self, count: int) -> int:
        """Return how many rows to allocate for a number of samples; existing rows are kept."""
        have = len(self._rows)
        # Growing often is cheap: realloc() moves a large array without copying it.
        return have if count <= have else min(count + count // 8, self.most)

    def resize(self, rows: int) -> None:
        """Resize the array to a number of rows."""
        self._rows.resize((rows, self._rows.shape[1]), refcheck=False)

    def keep(self, ids: Iterable[int]) -> list[int]:
        """Remove all samples except those with the given ids; return the ids that are missing."""
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

    def read(
        self,
        samples: Snapshot,
        extractor: str,
        kind: EmbeddingKind,
        ids: Sequence[int],
        which: str,
    ) -> None:
        """
        Add samples of an extractor from the store.

        Args:
            samples: a snapshot of the store.
            extractor: identity of the extractor.
            kind: kind of its embeddings.
            ids: ids of the samples.
            which: text for the error message, such as 'of all classes'.

        Raises:
            StoreError: if a sample is missing or damaged.
        """
        step = max(1, _CHUNK // kind.dimension)
        for start in range(0, len(ids), step):
            end = start + step
            part = ids[start:end]
            rows = [
                kind.from_disk(data)
                for sample_id in part
                for *_, data in samples.embeddings(extractor, kind, sample_id)
            ]
            if len(rows) != len(part):
                raise StoreError(
                    f'{len(part)} samples {which} are listed, but {len(rows)} were found: the '
                    f'database is damaged. What to do: {AFTER_DAMAGE}.'
                )
            self.add(part, unit_vectors(np.stack(rows), kind.quantization))

    def distance(self, vector: FloatArray) -> float:
        """Return the cosine distance of a unit or zero vector ``[D]`` to the nearest sample."""
        return self.nearest(vector)[1]

    def nearest(self, vector: FloatArray) -> tuple[int, float]:
        """Return the id of the nearest sample and its distance; 0 and infinity without samples."""
        if not self.count:
            return 0, float('inf')
        distances = cosine_distances(self._rows[: self.count], vector)
        index = int(np.argmin(distances))
        return self._ids[index], float(distances[index])


def cosine_distances(rows: FloatArray, vector: FloatArray) -> FloatArray:
    """
    Return the cosine distance of a vector to each row, float32 ``[N]``.

    The distance of two vectors of length 0 is 0; that of a vector of length 0 to any other is 1.

    Args:
        rows: vectors of length 1 or 0, ``[N, D]``.
        vector: a vector ``[D]`` of length 1 or 0.
    """
    if not vector.any():
        return np.where(rows.any(axis=1), np.float32(1.0), np.float32(0.0))
    distances = np.float32(1.0) - rows @ vector
    return np.where(distances > _ROUNDING, distances, np.float32(0.0))


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
