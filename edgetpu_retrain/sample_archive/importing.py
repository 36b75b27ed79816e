# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Imports a sample archive into a store, without samples that the store already has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
import shutil

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.sample_archive.archive_reading import SampleArchive
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import check_sample, embedding_digest, Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import named, quoted

BATCH = 1024
"""Maximum number of samples in one transaction; other writers wait for its end."""

# A batch is stored early if its pictures and embeddings reach this size.
_MAX_BATCH_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Imported:
    """
    The result of an import, in numbers of samples.

    Args:
        added: new samples.
        present: samples that the store already had; they are not changed.
        relabelled: those samples of ``present`` that have another label in the store; the label in
            the store is kept.
        left_out: samples with an invalid label.
        labels: number of samples by message; there is a message for each label that is left out,
            or from which spaces were removed.
    """

    added: int
    present: int
    relabelled: int
    left_out: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)


def import_archive(
    store: SampleStore,
    archive: SampleArchive,
    expected: Mapping[str, EmbeddingKind],
    on_sample: Callable[[], object] = lambda: None,
) -> Imported:
    """
    Add an archive's samples to a store, except those that the store already has.

    A sample is already in the store if a stored sample has the same embedding by the same
    extractor.  Samples of the archive are not compared with each other.  The whole archive is
    validated before the first sample is added.

    As when teaching from folders of pictures, a class with an invalid label, such as 'unknown', is
    left out, and spaces around a label are removed.

    Args:
        store: the store to add to.
        archive: the archive to read.
        expected: embedding kinds of known extractors, by identity; an archive that contradicts one
            is rejected, because it would make the store unusable with that extractor.
        on_sample: called twice for each sample, also if it is left out: during the validation, and
            during the import.

    Returns:
        The numbers of samples that were added, already present and left out.

    Raises:
        RequestError: if the archive is damaged, does not fit on the disk, contradicts ``expected``
            or has only samples with invalid labels; nothing is added.  Also if the store would
            have too many classes; earlier batches are stored.
        StoreError: if the store fails; earlier batches are stored, and importing again adds the
            rest.
    """
    free = shutil.disk_usage(store.path.parent).free
    if archive.num_bytes > free:
        raise RequestError(
            f'the archive unpacks to {archive.num_bytes} bytes, and the disk of {store.path} has '
            f'{free} left: free space on it first'
        )
    for identity, kind in archive.kinds.items():
        if expected.get(identity, kind) != kind:
            raise RequestError(
                f'the archive says that embeddings of extractor {identity[:12]} are {kind}, and '
                f'they are {expected[identity]}: export it again'
            )
    labels: Counter[str] = Counter()
    left_out = 0
    for sample in _with_classes(archive, labels):
        if sample is None:
            left_out += 1
        else:
            check_sample(sample)
        on_sample()
    if left_out and left_out == archive.count:
        raise RequestError(f'no sample of the archive has a class: {named(list(labels))}')
    with store.snapshot() as snapshot:
        known = snapshot.digests()
    quantizations = {identity: kind.quantization for identity, kind in archive.kinds.items()}
    added = present = relabelled = addition = num_bytes = 0
    batch: list[Sample] = []

    def flush() -> None:
        nonlocal added, addition, num_bytes
        ids = store.add(batch, quantizations, addition=addition, kind='import')
        addition = addition or next(iter(ids), 0)
        added += len(ids)
        batch.clear()
        num_bytes = 0

    for sample in _with_classes(archive, Counter()):
        on_sample()
        if sample is None:
            continue
        label = _label_in_store(sample, known)
        if label is not None:
            present += 1
            relabelled += label != sample.label
        else:
            batch.append(sample)
            num_bytes += sample.num_bytes
            if len(batch) == BATCH or num_bytes >= _MAX_BATCH_BYTES:
                flush()
    flush()
    return Imported(added, present, relabelled, left_out, labels)


def _with_classes(archive: SampleArchive, labels: Counter[str]) -> Iterator[Sample | None]:
    """
    Iterate over an archive's samples, with stripped labels; None for an invalid label.

    Args:
        archive: the archive to read.
        labels: receives the number of samples by message, as in :class:`Imported`.
    """
    for sample in archive.samples():
        label = sample.label.strip()
        try:
            check_label(label)
        except RequestError as error:
            labels[f'{quoted(sample.label)} is left out: {error}'] += 1
            yield None
            continue
        if label != sample.label:
            labels[f'{quoted(sample.label)} is class {quoted(label)}'] += 1
        yield sample if label == sample.label else replace(sample, label=label)


def _label_in_store(sample: Sample, known: dict[bytes, str]) -> str | None:
    """Return the label of a stored sample with an equal embedding; None if there is none."""
    for identity, embedding in sample.embeddings.items():
        label = known.get(embedding_digest(identity, embedding.tobytes()))
        if label is not None:
            return label
    return None
