# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
SampleStore: all samples of a data folder, in one SQLite file.

Embeddings are stored as the extractor outputs them, still quantized.  The file may contain
embeddings by several extractors; most methods concern only the samples of one extractor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
import threading

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.change import Kind
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from edgetpu_retrain.store.samples.journal import ChangedSample
from edgetpu_retrain.store.samples.sample import check_sample, Sample
from edgetpu_retrain.store.samples.sample_corrections import SampleCorrections
import numpy as np

# A sample; for each of its embeddings: identity of the extractor, kind and raw array.
_Embedded = tuple[Sample, list[tuple[str, EmbeddingKind, RawArray]]]


class SampleStore(SampleCorrections, AbstractContextManager['SampleStore']):
    """
    The samples on disk; all methods are thread-safe.

    A change is on disk when the method returns; if the method raises, nothing is changed, except
    if :meth:`erase` or :meth:`erase_samples` raises, or if a StoreError says that the outcome is
    unknown.
    All methods raise StoreError if the file cannot be read or written.  If another program has
    moved, replaced or overwritten the file, one call raises FilesChangedError, and the file is
    opened again.

    Args:
        path: the SQLite file; it is created, with its folder, if it is missing.
        must_open: whether to raise if the file cannot be opened.  If False, each method tries to
            open it, and raises if that fails.  So a robot with a damaged file can classify, and
            store new samples once the file is moved away.
        is_ending: called while another program has locked the file; returns whether to stop
            waiting.
        check_folder: called before each transaction or read, and after writing; raises
            FilesChangedError if the folder must not be used any more.

    Raises:
        StoreError: if ``must_open`` is true, and the file cannot be opened, belongs to another
            program or was written by a newer release.

    Example::

        with SampleStore(data_folder('') / 'samples.db') as store:
            store.add([Sample('mug', {identity: embedding})], {identity: quantization})
            samples = store.training_set(extractor=identity)
    """

    def __init__(
        self,
        path: Path,
        *,
        must_open: bool = True,
        is_ending: Callable[[], bool] = lambda: False,
        check_folder: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(path, must_open=must_open, is_ending=is_ending, check_folder=check_folder)
        # Locked while samples are compared: from reading their classes until they are added.
        self._comparing = threading.Lock()

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(
        self,
        samples: Sequence[Sample],
        quantizations: Mapping[str, QuantizationParameters | None],
        *,
        addition: int = 0,
        min_novelty: float = 0.0,
        kind: Kind = 'add',
    ) -> tuple[int, ...]:
        """
        Store samples in one transaction: all or none of them.

        The transaction is flushed to the disk once, so storing many samples in one call is fast.

        Args:
            samples: the samples; they are stored in this order.
            quantizations: quantization of the embeddings, by extractor identity; None for float32.
            addition: id of the first sample of the same request; 0 if this call begins a request.
                With 0 and the kind 'add', samples of a named recording join the last addition of
                the same class and recording, so that undo removes them together.
            min_novelty: minimum cosine distance, 0 to 2, to the newest
                :data:`~edgetpu_retrain.store.samples.novelty.MAX_COMPARED` samples of the class,
                including earlier ones in ``samples``; nearer samples are skipped.  0 = skip none.
            kind: kind of the change, for the journal.

        Returns:
            The id of each sample, from 1 and never reused; 0 for a skipped sample.

        Raises:
            RequestError: if a label, camera or recording is invalid, a picture is too large, or
                there are too many classes.
            ValueError: if another argument is invalid.
            StoreError: if the file cannot be written, an embedding is not finite, or stored
                embeddings of its extractor are of another kind.
        """
        if not -(2**63) <= addition < 2**63:
            raise ValueError(f'addition is {addition}; it must fit 64 bits')
        if not 0.0 <= min_novelty <= 2.0:
            raise ValueError(f'min_novelty is {min_novelty}; it must be from 0 to 2')
        embedded: list[_Embedded] = []
        for sample in samples:
            check_sample(sample)
            embeddings = [
                (identity, _checked_kind(raw, quantizations[identity], identity), raw)
                for identity, raw in sample.embeddings.items()
            ]
            embedded.append((sample, embeddings))
        if not min_novelty:
            return self._store(embedded, addition, kind)
        with self._comparing:
            self._read_classes(embedded)
            try:
                return self._store(embedded, addition, kind, min_novelty)
            except BaseException:
                # The cache may contain samples that were not stored.
                self._novelty.clear()
                raise

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
            extractor: identity of the extractor.
            quantization: quantization of the embedding; None for float32.

        Returns:
            True if the embedding was stored; False if there is no such sample, for example because
            it has been removed.

        Raises:
            ValueError, StoreError: as :meth:`add`.
        """
        kind = _checked_kind(embedding, quantization, extractor)
        with self.changing('store an embedding in') as changes:
            row = changes.extractor_row(extractor, kind)
            if not changes.exists(sample_id):
                return False
            changes.add_embedding(row, sample_id, kind.to_disk(embedding))
        return True

    def _read_classes(self, embedded: Iterable[_Embedded]) -> None:
        """Read the classes of new samples into the cache, while other threads can write."""
        version = self._novelty.changes, self.changes_by_others()
        for extractor, kind, label in {
            (identity, kind, sample.label)
            for sample, each in embedded
            for identity, kind, _ in each
            if not self._novelty.is_current(version, identity, sample.label)
        }:
            with self.snapshot() as snapshot:
                self._novelty.read(snapshot, extractor, kind, label, version)

    def _store(
        self,
        embedded: Iterable[_Embedded],
        addition: int,
        change: Kind,
        min_novelty: float = 0.0,
    ) -> tuple[int, ...]:
        ids: list[int] = []
        added: list[ChangedSample] = []
        with self.changing('store a sample in', compared=bool(min_novelty)) as changes:
            extractor_row = cache(changes.extractor_row)
            for sample, embeddings in embedded:
                label = sample.label
                if not addition and sample.recording and change == 'add':
                    addition = changes.addition_of(label, sample.recording)
                rows = {
                    extractor_row(identity, kind): kind.to_disk(raw)
                    for identity, kind, raw in embeddings
                }
                if min_novelty and any(
                    self._novelty.distance(changes, *each, label) < min_novelty
                    for each in embeddings
                ):
                    ids.append(0)
                    continue
                ids.append(changes.add(sample, rows, addition))
                addition = addition or ids[-1]
                added.append(ChangedSample(ids[-1], '', label))
                if min_novelty:
                    for each in embeddings:
                        self._novelty.added(ids[-1], *each, label)
            if added:
                changes.record(change, added, addition=addition)
        return tuple(ids)


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
