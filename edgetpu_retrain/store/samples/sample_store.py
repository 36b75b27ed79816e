# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
SampleStore: the labelled embeddings a robot has been taught, in one SQLite file.

An embedding is kept as its extractor wrote it.  Embeddings of different extractors live side
by side and are never mixed: each question names the extractor it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
import sqlite3
import threading
from typing import Any, TypeVar

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.database.connection import Durability, SampleDatabase
from edgetpu_retrain.store.database.typed_rows import typed_rows
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.novelty import NoveltyCheck
from edgetpu_retrain.store.samples.sample import (
    CarriedSample,
    check_sample,
    NewSample,
    SampleSet,
    StoredPicture,
    StoredSample,
    Undone,
    Unembedded,
)
from edgetpu_retrain.store.samples.snapshot import SampleSnapshot
import numpy as np

__all__ = [
    'NewSample',
    'SampleSet',
    'SampleStore',
    'StoredPicture',
    'StoredSample',
    'Undone',
    'Unembedded',
]


# typing.Self is of Python 3.11.
Self = TypeVar('Self', bound='SampleStore')


class SampleStore:
    """
    The samples on disk; every method may be called from any thread.

    What a method changed is on the disk when it returns; when it raises, nothing was changed.
    Each raises StoreError when the file cannot be read or the disk refuses.

    Args:
        path: the SQLite file, created (with its folder) when it is not there.
        must_open: False puts up with a file that cannot be opened: each method then tries again
            and, while that fails, raises what is raised here otherwise.  So a robot whose samples
            are damaged goes on to classify, and learns again once the file was moved away.
        is_ending: asked while another program holds the file: whether to wait no longer.

    Raises:
        StoreError: when the file cannot be opened, is not ours or is of a newer release.

    Example::

        with SampleStore(data_folder('') / 'samples.db') as store:
            store.add('mug', embedding, extractor=identity, quantization=parameters)
            samples = store.snapshot(extractor=identity)
    """

    def __init__(
        self, path: Path, *, must_open: bool = True, is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        self._database = SampleDatabase(Path(path), must_open=must_open, is_ending=is_ending)
        self._novelty = NoveltyCheck(self._database.path)
        # From the comparison with what a class has to the note of what was added.
        self._adding = threading.Lock()

    @property
    def path(self) -> Path:
        """The SQLite file, an absolute path."""
        return self._database.path

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._database.close()

    def durability(self) -> Durability:
        """Read the durability settings of the connection that samples are written with."""
        return self._database.durability()

    def counts(self, *, extractor: str) -> dict[str, int]:
        """
        Count the samples of each class.

        Args:
            extractor: identity of the extractor whose samples are counted.

        Returns:
            Class name to number of samples, in the order in which they were first taught.
        """
        types = str, int
        return dict(self._rows('count the samples in', queries.COUNT_CLASSES, types, extractor))

    def changes_by_others(self) -> int:
        """
        Return a number that differs when another program, or another store, has changed the file.

        It reads one page (https://www.sqlite.org/pragma.html#pragma_data_version), so it may be
        asked every second.
        """
        ((version,),) = self._rows('look for changes of', 'PRAGMA data_version', (int,))
        return int(version)

    def extractors(self) -> dict[str, int]:
        """Return identity of extractor to number of samples, the one last taught with first."""
        return dict(self._rows('count the samples in', queries.COUNT_EXTRACTORS, (str, int)))

    def list_samples(
        self, label: str = '', limit: int = 0, *, extractor: str
    ) -> tuple[StoredSample, ...]:
        """
        List samples, newest first.

        Args:
            label: class name; '' = of every class.
            limit: list at most so many, 0 = all.
            extractor: identity of the extractor; samples of others are not listed.

        Raises:
            ValueError: when ``limit`` is negative.
        """
        if not 0 <= limit <= queries.LARGEST_ID:
            raise ValueError(f'limit is {limit}; it must be 0 or more')
        values = {'extractor': extractor, 'label': label, 'limit': limit or -1}
        with self._database.transaction('list the samples in') as connection:
            rows = connection.execute(queries.NEWEST, values)
            return tuple(
                StoredSample(*(*row[:4], bool(row[4]), *row[5:]))
                for row in typed_rows(rows, int, str, str, int, int, int, int)
            )

    def snapshot(self, *, extractor: str) -> SampleSet:
        """
        Copy all samples of one extractor into memory, as they are at this moment.

        Args:
            extractor: identity of the extractor.

        Returns:
            The samples, oldest first; ``[0, 0]`` embeddings when it never had any.

        Raises:
            StoreError: when a sample is damaged, too.
        """
        with self._database.transaction('read the samples in') as connection:
            return queries.read_sample_set(connection, self.path, extractor)

    @contextmanager
    def all_samples(self) -> Iterator[SampleSnapshot]:
        """Look at all samples of all extractors as they are at this moment."""
        with self._database.transaction('read the samples in') as connection:
            yield SampleSnapshot(connection, self.path)

    def picture(self, sample_id: int) -> StoredPicture | None:
        """Return the stored picture of a sample, None when it has none or is not there."""
        with self._database.transaction('read a picture in') as connection:
            return queries.picture(connection, sample_id)

    def unembedded(self, *, extractor: str) -> Unembedded:
        """
        Count the samples that were taught with other extractors only.

        Args:
            extractor: identity of the extractor that has not seen them.
        """
        sql, types = queries.COUNT_UNEMBEDDED, (int, int)
        return Unembedded(*self._rows('count the samples in', sql, types, extractor)[0])

    def to_reembed(self, extractor: str) -> Iterator[StoredPicture]:
        """
        Go through the pictures of the samples that have no embedding of an extractor.

        Each is read when its turn comes, so that neither the memory nor other threads suffer;
        give its embedding to :meth:`add_embedding`.

        Args:
            extractor: identity of the extractor that has not seen them.
        """
        sql = queries.UNEMBEDDED_WITH_IMAGE
        for (sample_id,) in self._rows('read the pictures in', sql, (int,), extractor):
            # None when it was removed meanwhile.
            if picture := self.picture(sample_id):
                yield picture

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
        Store one sample.

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
            StoreError: when the embedding is not finite, or when the extractor's earlier samples
                are of another kind, too.
        """
        (sample_id,) = self.add_batch(
            [NewSample(label, embedding, camera, stamp_ns, image)],
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
        Store several samples of one extractor, all or none.

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
        kinds = []
        for sample in samples:
            check_sample(sample)
            kinds.append(_checked_kind(sample.embedding, quantization, extractor))
        ids: list[int] = []
        with self._adding:
            try:
                with self._database.transaction('store a sample in', writing=True) as connection:
                    for sample, kind in zip(samples, kinds, strict=True):
                        row = queries.extractor_row(connection, self.path, extractor, kind)
                        key = extractor, kind, sample.label, sample.embedding
                        if min_novelty and min_novelty > self._novelty.distance(connection, *key):
                            ids.append(0)
                            continue
                        embedded = {row: kind.to_disk(sample.embedding)}
                        ids.append(queries.insert(connection, sample, embedded, addition))
                        addition = addition or ids[-1]
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
        kind = _checked_kind(embedding, quantization, extractor)
        with self._changes('store an embedding in') as connection:
            row = queries.extractor_row(connection, self.path, extractor, kind)
            if not queries.is_there(connection, sample_id):
                return False
            queries.insert_embedding(connection, row, sample_id, kind.to_disk(embedding))
        return True

    def add_carried(
        self, samples: Sequence[CarriedSample], kinds: Mapping[str, EmbeddingKind], addition: int
    ) -> int:
        """
        Store samples that another store had, all or none.

        Args:
            samples: what to store, in this order.
            kinds: of the embeddings of each extractor that they have, by its identity.
            addition: id of the first sample of the same request, 0 when it is among these.

        Returns:
            The id of the first sample of the request.

        Raises:
            RequestError: when a label is refused.
            StoreError: when an extractor's samples in this store are of another kind, too.
        """
        with self._changes('store samples in') as connection:
            rows = {
                identity: queries.extractor_row(connection, self.path, identity, kind)
                for identity, kind in kinds.items()
            }
            for sample in samples:
                check_sample(sample)
                embedded = {rows[identity]: data for identity, data in sample.embeddings.items()}
                sample_id = queries.insert(connection, sample, embedded, addition)
                addition = addition or sample_id
        return addition

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
        """
        with self._changes('remove samples from') as connection:
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
                check_label(label, taught_before=True)
            limit = min(newest, queries.LARGEST_ID) or -1
            values = {'extractor': extractor, 'label': label, 'limit': limit}
            return connection.execute(queries.REMOVE_NEWEST, values).rowcount

    def remove_samples(self, ids: Iterable[int]) -> int:
        """
        Forget single samples, return how many they were.

        Raises:
            RequestError: when one of them is not there.
        """
        with self._changes('remove samples from') as connection:
            return queries.remove(connection, queries.check_ids(connection, ids))

    def undo_last_addition(self, *, extractor: str) -> Undone:
        """
        Forget the samples of the last request that stored any; again, those of the one before.

        Args:
            extractor: identity of the extractor; samples of others stay.

        Returns:
            Their label and how many they were, ('', 0) when there is none.
        """
        with self._changes('undo the last addition to') as connection:
            rows = connection.execute(queries.LAST_ADDITION, {'extractor': extractor})
            labels = dict(typed_rows(rows, int, str))
            # They differ when some samples were relabelled since.
            names = ', '.join(dict.fromkeys(labels.values()))
            return Undone(names, queries.remove(connection, labels))

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
        """
        with self._changes('relabel samples in') as connection:
            check_label(label, taught_before=True)
            check_label(new_label)
            if label == new_label:
                raise RequestError(
                    f'The class is called {label!r} already: give it another label.'
                )
            queries.check_class(connection, new_label)
            values = {'extractor': extractor, 'label': label, 'new_label': new_label}
            return connection.execute(queries.RELABEL_CLASS, values).rowcount

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
        """
        with self._changes('relabel samples in') as connection:
            check_label(new_label)
            queries.check_class(connection, new_label)
            rows = [(new_label, sample_id) for sample_id in queries.check_ids(connection, ids)]
            connection.executemany('UPDATE samples SET label = ? WHERE id = ?', rows)
            return len(rows)

    def _rows(
        self, action: str, sql: str, types: tuple[type, ...], extractor: str = ''
    ) -> list[tuple[Any, ...]]:
        """Return what a query answers, in a transaction of its own."""
        with self._database.transaction(action) as connection:
            return list(typed_rows(connection.execute(sql, {'extractor': extractor}), *types))

    @contextmanager
    def _changes(self, action: str) -> Iterator[sqlite3.Connection]:
        """Run the body as one transaction that changes or removes samples."""
        with self._database.transaction(action, writing=True) as connection:
            # In here, because nobody can compare with a class meanwhile.
            self._novelty.forget()
            yield connection


def _checked_kind(
    embedding: RawArray, quantization: QuantizationParameters | None, extractor: str
) -> EmbeddingKind:
    kind = EmbeddingKind.from_embedding(embedding, quantization)
    if not np.all(np.isfinite(embedding)):
        raise StoreError(
            f'The sample was not stored: extractor {extractor[:12]} gave numbers that are '
            'not finite. What to do: check the picture and the extractor.'
        )
    return kind
