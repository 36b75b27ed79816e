# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NearestSample: finds the stored sample, of any class, that is nearest to a frame."""

from __future__ import annotations

from typing import NamedTuple

from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.newest_vectors import NewestVectors
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import LARGEST_ID

MAX_SAMPLES = 8192
"""Maximum number of samples with which a frame is compared: the newest ones of all classes."""

MAX_BYTES = 32 * 1024 * 1024
"""Maximum memory of these samples, bytes: 6553 samples of the default extractor."""


class Neighbour(NamedTuple):
    """The sample that is nearest to a vector."""

    label: str
    """Class name of the sample; '' = there are no samples."""
    added_ns: int
    """When the sample was stored, nanoseconds since 1970."""
    distance: float
    """Cosine distance to the sample, 0 to 2; infinity = there are no samples."""


class NearestSample:
    """
    Finds the nearest of the newest samples of one extractor; not thread-safe.

    Args:
        samples: the store.
        extractor: identity of the extractor.
        kind: kind of its embeddings.
    """

    def __init__(self, samples: SampleStore, extractor: str, kind: EmbeddingKind) -> None:
        self._samples = samples
        self._extractor = extractor
        self._kind = kind
        self._vectors = NewestVectors(kind.dimension, MAX_SAMPLES, MAX_BYTES)
        self._known: dict[int, tuple[str, int]] = {}

    def of(self, vector: FloatArray) -> Neighbour:
        """
        Return the sample that is nearest to a vector ``[D]`` of length 1 or 0.

        Without samples, the label is '' and the distance infinity.

        Raises:
            StoreError: if the samples cannot be read.
        """
        self._update()
        sample_id, distance = self._vectors.nearest(vector)
        return Neighbour(*self._known.get(sample_id, ('', 0)), distance)

    def _update(self) -> None:
        """Read samples that are new since the last call; drop those no longer in the store."""
        version = self._samples.version()
        if version == self._vectors.version:
            return
        # If reading fails, the next call reads again.
        self._vectors.version = None
        with self._samples.snapshot() as snapshot:
            rows = list(
                snapshot.rows(
                    queries.NEWEST_LABELS,
                    *(int, str, int),
                    extractor=self._extractor,
                    label='',
                    last=LARGEST_ID,
                    limit=self._vectors.most,
                )
            )
            self._known = {sample_id: (label, added_ns) for sample_id, label, added_ns in rows}
            missing = self._vectors.keep(self._known)
            self._vectors.resize(len(rows))
            self._vectors.read(snapshot, self._extractor, self._kind, missing, 'of all classes')
        self._vectors.version = version
