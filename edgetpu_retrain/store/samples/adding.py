# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Adding to the sample store: what is taught, embedded again or brought along from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples import changes as sample_changes
from edgetpu_retrain.store.samples.carried_sample import CarriedSample
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.extractor_table import extractor_row
from edgetpu_retrain.store.samples.new_sample import NewSample
from edgetpu_retrain.store.samples.novelty import NoveltyCheck
from edgetpu_retrain.store.samples.reader import SampleReader
import numpy as np


class SampleAdder(SampleReader):
    """
    A sample database that grows; every method may be called from any thread.

    Args:
        path: the SQLite file, created (with its folder) when it is not there.
        is_ending: asked while another program holds the file: whether to wait no longer.

    Raises:
        StoreError: when the file cannot be opened, is not ours or is of a newer release.
    """

    def __init__(self, path: Path, *, is_ending: Callable[[], bool] = lambda: False) -> None:
        super().__init__(path, is_ending=is_ending)
        self._novelty = NoveltyCheck(self._database.path)
        # From the look at what a class has to the note of what was added.
        self._adding = threading.Lock()

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
        image: bytes | None = None,
        min_novelty: float = 0.0,
    ) -> int:
        """
        Store one sample; it is on the disk when this returns.

        Args:
            label: class name, see :func:`edgetpu_retrain.label.check_label`.
            embedding: raw ``[D]`` of dtype uint8, int8 or float32.
            extractor: identity of the extractor, the SHA-256 of its file.
            quantization: of the extractor's output; None for float32.
            camera: name of the camera, '' when there was none.
            stamp_ns: stamp of the image in nanoseconds, 0 when it has none.
            addition: id of the first sample of the same request, 0 when this is the first.
            image: what was embedded as a JPEG file, where it is to be kept.
            min_novelty: skip the sample when it is nearer than this cosine distance, 0 to 2, to
                one that its class has already; 0 skips none.

        Returns:
            The id of the sample, from 1, never used again; 0 when it was skipped.

        Raises:
            RequestError: when the label is refused or the image is too large.
            ValueError: when another argument is not what is said above.
            StoreError: when the embedding is not finite, when the extractor's earlier samples
                are of another kind, or when the disk refuses.
        """
        sample = NewSample(label, embedding, camera, stamp_ns, image)
        (sample_id,) = self.add_batch(
            [sample],
            extractor=extractor,
            quantization=quantization,
            addition=addition,
            min_novelty=min_novelty,
        )
        return sample_id

    def add_batch(
        self,
        samples: Sequence[NewSample],
        *,
        extractor: str,
        quantization: QuantizationParameters | None,
        addition: int = 0,
        min_novelty: float = 0.0,
    ) -> tuple[int, ...]:
        """
        Store several samples of one extractor; all are on the disk when this returns, or none.

        One flush of the disk serves them all, which is what makes many samples quick to store.

        Args:
            samples: what to store, in this order.
            extractor: as in :meth:`add`, and so are the next ones.
            quantization: of the extractor's output.
            addition: id of the first sample of the same request, 0 when it is among these.
            min_novelty: least cosine distance to the class, earlier ones of the batch included.

        Returns:
            The id of each, 0 for one that was skipped.

        Raises:
            RequestError, ValueError, StoreError: as :meth:`add`, for any of them.
        """
        if not -(2**63) <= addition < 2**63:
            raise ValueError(f'addition is {addition}; it must fit 64 bits')
        if not 0.0 <= min_novelty <= 2.0:
            raise ValueError(f'min_novelty is {min_novelty}; it must be from 0 to 2')
        checked = [(each.checked(), _kind_of(each, quantization, extractor)) for each in samples]
        ids: list[int] = []
        with self._adding:
            try:
                with self._database.transaction('store a sample in', writing=True) as connection:
                    for sample, kind in checked:
                        extractor_id = extractor_row(connection, self.path, extractor, kind)
                        key = extractor_id, kind, sample.label, sample.embedding
                        if min_novelty and min_novelty > self._novelty.distance(connection, *key):
                            ids.append(0)
                            continue
                        ids.append(sample_changes.insert(connection, sample, addition))
                        addition = addition or ids[-1]
                        sample_changes.insert_embedding(
                            connection, extractor_id, ids[-1], kind.to_disk(sample.embedding)
                        )
                        self._novelty.added(*key)
            except BaseException:
                # It has taken note of samples that are not in the file after all.
                self._novelty.forget()
                raise
        return tuple(ids)

    def add_embedding(
        self,
        sample_id: int,
        embedding: RawArray,
        *,
        extractor: str,
        quantization: QuantizationParameters | None,
    ) -> bool:
        """
        Store what another extractor makes of a sample's picture.

        From then on it is a sample of that extractor, too, with the same label.  An embedding
        that it has of this extractor is replaced.

        Args:
            sample_id: number of the sample.
            embedding: raw ``[D]`` of dtype uint8, int8 or float32.
            extractor: identity of the extractor, the SHA-256 of its file.
            quantization: of the extractor's output; None for float32.

        Returns:
            False when the sample was removed meanwhile.

        Raises:
            ValueError: when the embedding is not of one of the kinds above.
            StoreError: as :meth:`add`.
        """
        kind = _kind_of(NewSample('', embedding), quantization, extractor)
        with self._changes('store an embedding in') as connection:
            extractor_id = extractor_row(connection, self.path, extractor, kind)
            if not sample_changes.is_there(connection, sample_id):
                return False
            sample_changes.insert_embedding(
                connection, extractor_id, sample_id, kind.to_disk(embedding)
            )
        return True

    def add_carried(
        self, samples: Sequence[CarriedSample], kinds: Mapping[str, EmbeddingKind], addition: int
    ) -> int:
        """
        Store samples that another store had; all are on the disk when this returns, or none.

        Args:
            samples: what to store, in this order.
            kinds: of the embeddings of each extractor that they have, by its identity.
            addition: id of the first sample of the same request, 0 when it is among these.

        Returns:
            The id of the first sample of the request.

        Raises:
            RequestError: when a label is refused.
            StoreError: when an extractor's samples in this store are of another kind, or when
                the disk refuses.
        """
        with self._changes('store samples in') as connection:
            rows = {
                identity: extractor_row(connection, self.path, identity, kind)
                for identity, kind in kinds.items()
            }
            for sample in samples:
                (first, embedding), *_ = sample.embeddings.items()
                new = NewSample(
                    sample.label,
                    kinds[first].from_disk(embedding),
                    sample.camera,
                    sample.stamp_ns,
                    sample.image,
                    sample.added_ns,
                ).checked()
                sample_id = sample_changes.insert(connection, new, addition)
                addition = addition or sample_id
                for identity, data in sample.embeddings.items():
                    sample_changes.insert_embedding(connection, rows[identity], sample_id, data)
        return addition

    @contextmanager
    def _changes(self, action: str) -> Iterator[sqlite3.Connection]:
        """Run the body as one transaction that changes or removes samples."""
        with self._database.transaction(action, writing=True) as connection:
            # In here, because nobody can look at a class meanwhile.
            self._novelty.forget()
            yield connection


def _kind_of(
    sample: NewSample, quantization: QuantizationParameters | None, extractor: str
) -> EmbeddingKind:
    kind = EmbeddingKind.of(sample.embedding, quantization)
    if not np.all(np.isfinite(sample.embedding)):
        raise StoreError(
            f'The sample was not stored: extractor {extractor[:12]} gave numbers that are '
            'not finite. What to do: check the picture and the extractor.'
        )
    return kind
