# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
SampleStore: all samples of a data folder, in one SQLite file.

Embeddings are stored as the extractor has output them, still quantized.  The file may contain
embeddings by several extractors; most methods concern only the samples of one extractor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
import threading

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.database.connection import SampleDatabase
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.changes import Changes
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.novelty import NoveltyCheck
from edgetpu_retrain.store.samples.sample import (
    check_sample,
    Sample,
    StoredPicture,
    StoredSample,
    TrainingSet,
    Undone,
    Unembedded,
)
from edgetpu_retrain.store.samples.snapshot import LARGEST_ID, Snapshot
import numpy as np


class SampleStore(AbstractContextManager['SampleStore']):
    """
    The samples on disk; all methods are thread-safe.

    A change is on disk when the method returns; if the method raises, nothing is changed.  All
    methods raise StoreError if the file cannot be read or written.

    Args:
        path: the SQLite file; it is created, with its folder, if it is missing.
        must_open: whether to raise if the file cannot be opened.  If False, each method tries to
            open it, and raises if that fails.  So a robot with a damaged file can classify, and
            store new samples once the file is moved away.
        is_ending: called while another program has locked the file; returns whether to stop
            waiting.

    Raises:
        StoreError: if ``must_open`` and the file cannot be opened, belongs to another program or
            was written by a newer release.

    Example::

        with SampleStore(data_folder('') / 'samples.db') as store:
            store.add([Sample('mug', {identity: embedding})], {identity: quantization})
            samples = store.training_set(extractor=identity)
    """

    def __init__(
        self, path: Path, *, must_open: bool = True, is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        self._database = SampleDatabase(Path(path), must_open=must_open, is_ending=is_ending)
        self._novelty = NoveltyCheck()
        # Locked from comparing a sample with its class until the class includes the sample.
        self._adding = threading.Lock()

    @property
    def path(self) -> Path:
        """The SQLite file, an absolute path."""
        return self._database.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._database.close()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Yield the samples of all extractors, to be read in one transaction."""
        with self._database.transaction('read the samples in') as connection:
            yield Snapshot(connection, self.path)

    def counts(self, *, extractor: str) -> dict[str, int]:
        """
        Return the number of samples of each class, the class with the oldest sample first.

        Args:
            extractor: identity of the extractor whose samples are counted.
        """
        with self.snapshot() as samples:
            return dict(samples.rows(queries.COUNT_CLASSES, str, int, extractor=extractor))

    def extractors(self) -> dict[str, int]:
        """Return the number of samples by extractor identity; that of the newest sample first."""
        with self.snapshot() as samples:
            return dict(samples.rows(queries.COUNT_EXTRACTORS, str, int))

    def changes_by_others(self) -> int:
        """
        Return a number that changes whenever another program, or another store, writes the file.

        It only reads one page (https://www.sqlite.org/pragma.html#pragma_data_version), so it may
        be called every second.
        """
        with self.snapshot() as samples:
            return samples.data_version()

    def list_samples(
        self, label: str = '', limit: int = 0, *, extractor: str
    ) -> tuple[StoredSample, ...]:
        """
        Return samples, newest first.

        Args:
            label: class name; '' = all classes.
            limit: maximum number of samples; 0 = all.
            extractor: identity of the extractor; samples of others are not listed.

        Raises:
            ValueError: if ``limit`` is negative or exceeds 64 bits.
        """
        if not 0 <= limit <= LARGEST_ID:
            raise ValueError(f'limit is {limit}; it must be 0 or more')
        with self.snapshot() as samples:
            return samples.newest(label, limit, extractor=extractor)

    def training_set(self, *, extractor: str) -> TrainingSet:
        """
        Copy all samples of one extractor into memory.

        Args:
            extractor: identity of the extractor.

        Returns:
            The samples, oldest first; with embeddings ``[0, 0]`` if the extractor is not known.

        Raises:
            StoreError: also if a sample is damaged.
        """
        with self.snapshot() as samples:
            return samples.training_set(extractor)

    def picture(self, sample_id: int) -> StoredPicture | None:
        """Return the picture of a sample; None if the sample has no picture or does not exist."""
        with self.snapshot() as samples:
            return samples.picture(sample_id)

    def unembedded(self, *, extractor: str) -> Unembedded:
        """Count the samples that have no embedding by the extractor with this identity."""
        with self.snapshot() as samples:
            rows = samples.rows(queries.COUNT_UNEMBEDDED, int, int, extractor=extractor)
            return Unembedded(*next(rows))

    def to_reembed(self, extractor: str) -> Iterator[StoredPicture]:
        """
        Iterate over the pictures of the samples that have no embedding by an extractor.

        Each picture is read in a transaction of its own, so that other threads can use the store,
        and only one picture is in memory.  Pass its embedding to :meth:`add_embedding`.

        Args:
            extractor: identity of the extractor.
        """
        sql = queries.UNEMBEDDED_WITH_IMAGE
        with self.snapshot() as samples:
            ids = list(samples.rows(sql, int, extractor=extractor))
        for (sample_id,) in ids:
            # The sample may have been removed meanwhile.
            if picture := self.picture(sample_id):
                yield picture

    def add(
        self,
        samples: Sequence[Sample],
        quantizations: Mapping[str, QuantizationParameters | None],
        *,
        addition: int = 0,
        min_novelty: float = 0.0,
    ) -> tuple[int, ...]:
        """
        Store samples in one transaction: all or none of them.

        The transaction is flushed to the disk once, so many samples in one call are fast.

        Args:
            samples: the samples; they are stored in this order.
            quantizations: quantization of the embeddings, by extractor identity; None for float32.
            addition: id of the first sample of the same request; 0 if this call stores it.
            min_novelty: minimum cosine distance, 0 to 2, to the other samples of the class,
                including earlier ones in ``samples``; nearer samples are skipped.  0 = skip none.

        Returns:
            The id of each sample, from 1, never used again; 0 if the sample was skipped.

        Raises:
            RequestError: if a label is invalid, a picture is too large or there are too many
                classes.
            ValueError: if another argument is invalid.
            StoreError: also if an embedding is not finite, or stored embeddings of its extractor
                are of another kind.
        """
        if not -(2**63) <= addition < 2**63:
            raise ValueError(f'addition is {addition}; it must fit 64 bits')
        if not 0.0 <= min_novelty <= 2.0:
            raise ValueError(f'min_novelty is {min_novelty}; it must be from 0 to 2')
        embeddings = []
        for sample in samples:
            check_sample(sample)
            embeddings.append(
                [
                    (identity, _checked_kind(raw, quantizations[identity], identity), raw)
                    for identity, raw in sample.embeddings.items()
                ]
            )
        ids: list[int] = []
        with self._adding:
            try:
                with self._changes('store a sample in') as changes:
                    for sample, embedded in zip(samples, embeddings, strict=True):
                        rows = {
                            changes.extractor_row(identity, kind): kind.to_disk(raw)
                            for identity, kind, raw in embedded
                        }
                        if min_novelty and any(
                            self._novelty.distance(changes, *each, sample.label) < min_novelty
                            for each in embedded
                        ):
                            ids.append(0)
                            continue
                        ids.append(changes.add(sample, rows, addition))
                        addition = addition or ids[-1]
                        for each in embedded:
                            self._novelty.added(*each, sample.label)
            except BaseException:
                # The cache may contain samples that were not stored.
                self._novelty.clear()
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
        Store an embedding of a stored sample; replace an earlier one by the same extractor.

        The sample is then a sample of that extractor, too.

        Args:
            sample_id: id of the sample.
            embedding: raw embedding ``[D]``, uint8, int8 or float32.
            extractor: identity of the extractor, the SHA-256 of its file.
            quantization: quantization of the embedding; None for float32.

        Returns:
            False if there is no such sample, for example because it was removed meanwhile.

        Raises:
            ValueError, StoreError: as :meth:`add`.
        """
        kind = _checked_kind(embedding, quantization, extractor)
        with self._changes('store an embedding in', forget=True) as changes:
            row = changes.extractor_row(extractor, kind)
            if not changes.exists(sample_id):
                return False
            changes.add_embedding(row, sample_id, kind.to_disk(embedding))
        return True

    def remove(self, label: str, newest: int, *, extractor: str) -> int:
        """
        Remove the newest samples of a class, a whole class, or the newest of all classes.

        Args:
            label: class name; '' = all classes.
            newest: number of samples to remove; 0 = all samples of the class.
            extractor: identity of the extractor; samples of others stay.

        Returns:
            The number of removed samples.

        Raises:
            RequestError: if ``label`` is '' and ``newest`` 0, ``newest`` is negative, or ``label``
                is invalid.
        """
        if newest < 0:
            raise RequestError(
                f'n is {newest}: ask for 1 or more of the newest samples, or 0 with a label to '
                'remove the whole class.'
            )
        if not label and not newest:
            raise RequestError(
                'Neither a label nor a number of samples is given, which would remove everything: '
                'name the class to remove, or how many of the newest samples.'
            )
        if label:
            check_label(label, taught_before=True)
        with self._changes('remove samples from', forget=True) as changes:
            limit = min(newest, LARGEST_ID)
            return changes.remove(changes.newest_ids(label, limit, extractor=extractor))

    def remove_samples(self, ids: Iterable[int]) -> int:
        """
        Remove single samples; return their number.

        Args:
            ids: ids of the samples.

        Raises:
            RequestError: if one of the samples does not exist; then none is removed.
        """
        with self._changes('remove samples from', forget=True) as changes:
            return changes.remove(changes.checked_ids(ids))

    def undo_last_addition(self, *, extractor: str) -> Undone:
        """
        Remove the samples of the last request that added any; repeat it to undo earlier requests.

        Args:
            extractor: identity of the extractor; samples of others stay.

        Returns:
            The labels and the number of the removed samples; ('', 0) if there were none.
        """
        with self._changes('undo the last addition to', forget=True) as changes:
            labels = dict(changes.rows(queries.LAST_ADDITION, int, str, extractor=extractor))
            # The labels differ if some of the samples were relabelled meanwhile.
            names = ', '.join(dict.fromkeys(labels.values()))
            return Undone(names, changes.remove(labels))

    def relabel_class(self, label: str, new_label: str, *, extractor: str) -> int:
        """
        Rename a class; if there is a class with the new name, merge the two.

        Args:
            label: name of the class.
            new_label: new name of the class.
            extractor: identity of the extractor; samples of others stay unchanged.

        Returns:
            The number of relabelled samples; 0 if there is no such class.

        Raises:
            RequestError: if a label is invalid, both are the same, or there are too many classes.
        """
        check_label(label, taught_before=True)
        check_label(new_label)
        if label == new_label:
            raise RequestError(f'The class is called {label!r} already: give it another label.')
        with self._changes('relabel samples in', forget=True) as changes:
            return changes.relabel(changes.newest_ids(label, 0, extractor=extractor), new_label)

    def relabel(self, ids: Iterable[int], new_label: str) -> int:
        """
        Move single samples to another class.

        Args:
            ids: ids of the samples, which may be of several classes.
            new_label: name of their new class.

        Returns:
            The number of samples, including those that were already in this class.

        Raises:
            RequestError: if the label is invalid, a sample does not exist, or there are too many
                classes; then none is relabelled.
        """
        check_label(new_label)
        with self._changes('relabel samples in', forget=True) as changes:
            return changes.relabel(changes.checked_ids(ids), new_label)

    @contextmanager
    def _changes(self, action: str, *, forget: bool = False) -> Iterator[Changes]:
        """Run the ``with`` block in a write transaction; ``forget`` empties the novelty cache."""
        with self._database.transaction(action, writing=True) as connection:
            if forget:
                # In the transaction, because no other thread adds samples to the cache meanwhile.
                self._novelty.clear()
            yield Changes(connection, self.path)


def _checked_kind(
    embedding: RawArray, quantization: QuantizationParameters | None, extractor: str
) -> EmbeddingKind:
    kind = EmbeddingKind.from_embedding(embedding, quantization)
    if not np.isfinite(embedding).all():
        raise StoreError(
            f'The sample was not stored: extractor {extractor[:12]} gave numbers that are '
            'not finite. What to do: check the picture and the extractor.'
        )
    return kind
