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

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
import sqlite3
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store import sample_changes
from edgetpu_retrain.store.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.extractor_table import extractor_row
from edgetpu_retrain.store.label import check_label
from edgetpu_retrain.store.novelty import NoveltyCheck
from edgetpu_retrain.store.sample_changes import Undone
from edgetpu_retrain.store.sample_reader import SampleReader
from edgetpu_retrain.store.sample_set import SampleSet
from edgetpu_retrain.store.stored_sample import (
    check_image,
    StoredPicture,
    StoredSample,
    Unembedded,
)
import numpy as np

__all__ = ['SampleSet', 'SampleStore', 'StoredPicture', 'StoredSample', 'Undone', 'Unembedded']


class SampleStore(SampleReader):
    """
    The samples on disk; every method may be called from any thread.

    What a method changed is on the disk when it returns; when it raises, nothing was changed.

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
        super().__init__(path)
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
            label: class name, see :func:`edgetpu_retrain.store.label.check_label`.
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
        check_label(label)
        kind = _kind_of(embedding, quantization, extractor)
        for name, value in (('stamp_ns', stamp_ns), ('addition', addition)):
            if not -(2**63) <= value < 2**63:
                raise ValueError(f'{name} is {value}; it must fit 64 bits')
        if not 0.0 <= min_novelty <= 2.0:
            raise ValueError(f'min_novelty is {min_novelty}; it must be from 0 to 2')
        if image is not None:
            check_image(image)
        with self._adding:
            with self._database.transaction('store a sample in', writing=True) as connection:
                extractor_id = extractor_row(connection, self.path, extractor, kind)
                if min_novelty and min_novelty > self._novelty.distance(
                    connection, extractor_id, kind, label, embedding
                ):
                    return 0
                sample_id = sample_changes.insert(
                    connection, label, camera, int(stamp_ns), int(addition)
                )
                sample_changes.insert_embedding(
                    connection, extractor_id, sample_id, kind.to_disk(embedding)
                )
                if image is not None:
                    sample_changes.insert_image(connection, sample_id, image)
            self._novelty.added(extractor_id, kind, label, embedding)
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
            StoreError: when the disk refuses.
        """
        with self._changes('remove samples from') as connection:
            return sample_changes.remove_newest(connection, label, newest, extractor)

    def remove_samples(self, ids: Iterable[int]) -> int:
        """
        Forget single samples, return how many they were.

        Raises:
            RequestError: when one of them is not there.
            StoreError: when the disk refuses.
        """
        with self._changes('remove samples from') as connection:
            return sample_changes.remove_ids(connection, ids)

    def undo_last_addition(self, *, extractor: str) -> Undone:
        """
        Forget the samples of the last request that stored any; again, those of the one before.

        Args:
            extractor: identity of the extractor; samples of others stay.

        Returns:
            Their label and how many they were, ('', 0) when there is none.

        Raises:
            StoreError: when the disk refuses.
        """
        with self._changes('undo the last addition to') as connection:
            return sample_changes.remove_last_addition(connection, extractor)

    def relabel_class(self, label: str, new_label: str, *, extractor: str) -> int:
        """
        Give a class another label; where that one exists, the two become one class.

        Args:
            label: class name.
            new_label: its name from now on.
            extractor: identity of the extractor; samples of others stay as they are.

        Returns:
            How many samples the class had, 0 when there is no such class.

        Raises:
            RequestError: when a label is refused or both are the same.
            StoreError: when the disk refuses.
        """
        with self._changes('relabel samples in') as connection:
            return sample_changes.relabel_class(connection, label, new_label, extractor)

    def relabel(self, ids: Iterable[int], new_label: str) -> int:
        """
        Give single samples another label.

        Args:
            ids: of the samples, of whatever class.
            new_label: their class from now on.

        Returns:
            How many they are; those that had the label already count, too.

        Raises:
            RequestError: when the label is refused or one of the samples is not there.
            StoreError: when the disk refuses.
        """
        with self._changes('relabel samples in') as connection:
            return sample_changes.relabel_ids(connection, ids, new_label)

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
        kind = _kind_of(embedding, quantization, extractor)
        with self._changes('store an embedding in') as connection:
            extractor_id = extractor_row(connection, self.path, extractor, kind)
            if not sample_changes.is_there(connection, sample_id):
                return False
            sample_changes.insert_embedding(
                connection, extractor_id, sample_id, kind.to_disk(embedding)
            )
        return True

    @contextmanager
    def _changes(self, action: str) -> Iterator[sqlite3.Connection]:
        """Run the body as one transaction that changes or removes samples."""
        with self._database.transaction(action, writing=True) as connection:
            # In here, because nobody can look at a class meanwhile.
            self._novelty.forget()
            yield connection


def _kind_of(
    embedding: RawArray, quantization: QuantizationParameters | None, extractor: str
) -> EmbeddingKind:
    kind = EmbeddingKind.of(embedding, quantization)
    if not np.all(np.isfinite(embedding)):
        raise StoreError(
            f'The sample was not stored: extractor {extractor[:12]} gave numbers that are '
            'not finite. What to do: check the picture and the extractor.'
        )
    return kind
