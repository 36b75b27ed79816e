# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
SampleStore: the labelled embeddings a robot has been taught, in one SQLite file.

An embedding is kept as its extractor wrote it.  Embeddings of different extractors live side
by side and are never mixed: each question names the extractor it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import sqlite3
from types import TracebackType
from typing import Any

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.learning.head import IntArray
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.label import check_label
from edgetpu_retrain.store.sample_database import Durability, SampleDatabase
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
    """

    embeddings: RawArray
    labels: IntArray
    names: tuple[str, ...]
    quantization: QuantizationParameters | None


class SampleStore:
    """
    The samples on disk; every method may be called from any thread.

    Args:
        path: the SQLite file, created (with its folder) when it is not there.

    Raises:
        StoreError: when the file cannot be opened, is not ours or is of a newer release.

    Example::

        with SampleStore(data_folder('') / 'samples.db') as store:
            store.add('mug', embedding, extractor=identity, quantization=parameters)
            samples = store.snapshot(extractor=identity)
    """

    def __init__(self, path: Path) -> None:
        self._database = SampleDatabase(Path(path))

    @property
    def path(self) -> Path:
        """The SQLite file, an absolute path."""
        return self._database.path

    def __enter__(self) -> SampleStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._database.close()

    def add(
        self,
        label: str,
        embedding: RawArray,
        *,
        extractor: str,
        quantization: QuantizationParameters | None,
        camera: str = '',
        stamp_ns: int = 0,
        addition: int = 0,
    ) -> int:
        """
        Store one sample; it is on the disk when this returns.

        Args:
            label: class name, see :func:`edgetpu_retrain.store.label.check_label`.
            embedding: raw ``[D]`` of dtype uint8, int8 or float32.
            extractor: identity of the extractor, the SHA-256 of its file.
            quantization: of the extractor's output; None for float32.
            camera: name of the camera, '' when there was none.
            stamp_ns: stamp of the image in nanoseconds, 0 when it has none.
            addition: id of the first sample of the same request, 0 when this is the first.

        Returns:
            The id of the sample, from 1, never used again.

        Raises:
            RequestError: when the label is refused.
            ValueError: when the embedding is not one of the kinds above.
            StoreError: when the embedding is not finite, when the extractor's earlier samples
                are of another kind, or when the disk refuses; nothing is stored then.
        """
        check_label(label)
        kind = EmbeddingKind.of(embedding, quantization)
        if not np.all(np.isfinite(embedding)):
            raise StoreError(
                f'The sample was not stored: extractor {extractor[:12]} gave numbers that are '
                'not finite. What to do: check the picture and the extractor.'
            )
        data = kind.to_disk(embedding)
        with self._database.transaction('store a sample in', writing=True) as connection:
            extractor_id = self._extractor_id(connection, extractor, kind)
            sample_id = _insert(
                connection,
                'INSERT INTO samples (label, camera, stamp_ns, addition) VALUES (?, ?, ?, ?)',
                (label, camera, stamp_ns, addition),
            )
            if not addition:
                connection.execute('UPDATE samples SET addition = id WHERE id = ?', (sample_id,))
            connection.execute(
                'INSERT INTO embeddings (extractor_id, sample_id, data) VALUES (?, ?, ?)',
                (extractor_id, sample_id, data),
            )
        return sample_id

    def remove(self, label: str, newest: int, *, extractor: str) -> int:
        """
        Forget samples: the newest of a class, a whole class, or the newest of all.

        Args:
            label: class name; '' = of whatever class.
            newest: how many of the newest, 0 = all of the class (not allowed without label).
            extractor: identity of the extractor; samples of others stay.

        Returns:
            How many were removed, 0 when there were none.

        Raises:
            RequestError: when both are empty, ``newest`` is negative, or no class can have
                this label.
            StoreError: when the disk refuses; nothing is removed then.
        """
        if newest < 0:
            raise RequestError(
                f'n is {newest}: ask for 1 or more of the newest samples, or 0 with a label '
                'to remove the whole class.'
            )
        if not label and not newest:
            raise RequestError(
                'Neither a label nor a number of samples is given, which would remove '
                'everything: name the class to remove, or how many of the newest samples.'
            )
        if label:
            check_label(label)
        with self._database.transaction('remove samples from', writing=True) as connection:
            return connection.execute(
                """
                DELETE FROM samples WHERE id IN (
                    SELECT samples.id
                    FROM extractors
                    JOIN embeddings ON extractor_id = extractors.id
                    JOIN samples ON samples.id = sample_id
                    WHERE identity = ?1 AND (label = ?2 OR ?2 = '')
                    ORDER BY samples.id DESC
                    LIMIT ?3
                )
                """,
                (extractor, label, newest or -1),
            ).rowcount

    def counts(self, *, extractor: str) -> dict[str, int]:
        """
        Count the samples of each class.

        Args:
            extractor: identity of the extractor whose samples are counted.

        Returns:
            Class name to number of samples, in the order in which they were first taught.

        Raises:
            StoreError: when the file cannot be read.
        """
        with self._database.transaction('count the samples in') as connection:
            rows = connection.execute(
                """
                SELECT label, COUNT(*)
                FROM extractors
                JOIN embeddings ON extractor_id = extractors.id
                JOIN samples ON samples.id = sample_id
                WHERE identity = ?
                GROUP BY label
                ORDER BY MIN(samples.id)
                """,
                (extractor,),
            ).fetchall()
        return dict(rows)

    def snapshot(self, *, extractor: str) -> SampleSet:
        """
        Copy all samples of one extractor into memory, as they are at this moment.

        Args:
            extractor: identity of the extractor.

        Returns:
            The samples, oldest first; ``[0, 0]`` embeddings when it never had any.

        Raises:
            StoreError: when the file cannot be read or a sample in it is damaged.
        """
        with self._database.transaction('read the samples in') as connection:
            found = self._find_extractor(connection, extractor)
            if found is None:
                return SampleSet(np.empty((0, 0), np.uint8), np.empty(0, np.int64), (), None)
            extractor_id, kind = found
            count = connection.execute(
                'SELECT COUNT(*) FROM embeddings WHERE extractor_id = ?', (extractor_id,)
            ).fetchone()[0]
            # Filled in place: a list of rows would need the memory twice.
            embeddings = np.empty((count, kind.dimension), np.dtype(kind.dtype))
            labels = np.empty(count, np.int64)
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
            for index, (sample_id, label, data) in enumerate(cursor):
                self._check_length(sample_id, label, data, kind)
                embeddings[index] = kind.from_disk(data)
                labels[index] = names.setdefault(label, len(names))
        return SampleSet(embeddings, labels, tuple(names), kind.quantization)

    def durability(self) -> Durability:
        """
        Read the durability settings of the connection that samples are written with.

        Raises:
            StoreError: when the store is closed.
        """
        return self._database.durability()

    def _extractor_id(
        self, connection: sqlite3.Connection, identity: str, kind: EmbeddingKind
    ) -> int:
        """Return the row of an extractor, made when it is new; refuse another kind."""
        found = self._find_extractor(connection, identity)
        if found is None:
            quantization = kind.quantization
            return _insert(
                connection,
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
        extractor_id, stored = found
        if stored != kind:
            raise StoreError(
                f'The sample was not stored: extractor {identity[:12]} gave {kind}, but its '
                f'samples in {self.path} are {stored}. What to do: use the extractor with which '
                'they were made, or another data_dir.'
            )
        return extractor_id

    def _find_extractor(
        self, connection: sqlite3.Connection, identity: str
    ) -> tuple[int, EmbeddingKind] | None:
        row = connection.execute(
            'SELECT id, dimension, dtype, scale, zero_point FROM extractors WHERE identity = ?',
            (identity,),
        ).fetchone()
        if row is None:
            return None
        extractor_id, dimension, dtype, scale, zero_point = row
        quantization = None if scale is None else QuantizationParameters(scale, zero_point)
        try:
            return extractor_id, EmbeddingKind(dimension, dtype, quantization)
        except ValueError as error:
            raise StoreError(
                f'{self.path} is damaged where it describes extractor {identity[:12]}: {error}. '
                'What to do: restore a backup, or move the file away and teach again.'
            ) from error

    def _check_length(self, sample_id: int, label: str, data: bytes, kind: EmbeddingKind) -> None:
        if len(data) != kind.num_bytes:
            raise StoreError(
                f'Sample {sample_id} ({label!r}) in {self.path} has {len(data)} bytes where '
                f'{kind.num_bytes} are needed: the file is damaged. What to do: restore a '
                f'backup, or remove the class {label!r} and teach it again.'
            )


def _insert(connection: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> int:
    row_id = connection.execute(statement, values).lastrowid
    assert row_id is not None  # None only before the first INSERT
    return row_id
