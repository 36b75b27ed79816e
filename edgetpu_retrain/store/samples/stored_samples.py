# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""StoredSamples: reads the samples of a data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edgetpu_retrain.store.database.connection import SampleDatabase
from edgetpu_retrain.store.database.damage_check import DamageCheck
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.change import Change
from edgetpu_retrain.store.samples.journal import Journal
from edgetpu_retrain.store.samples.sample import (
    StoredPicture,
    StoredSample,
    TrainingSet,
    Unembedded,
)
from edgetpu_retrain.store.samples.snapshot import LARGEST_ID, Snapshot


class StoredSamples:
    """
    The methods of ``SampleStore`` that read samples.

    Args:
        path: the SQLite file.
        must_open: whether to raise if the file cannot be opened.
        is_ending: called while another program has locked the file; returns whether to stop
            waiting.
        check_folder: called before each transaction or read, and after writing; raises
            FilesChangedError if the folder must not be used any more.
    """

    def __init__(
        self,
        path: Path,
        *,
        must_open: bool,
        is_ending: Callable[[], bool],
        check_folder: Callable[[], None],
    ) -> None:
        self._database = SampleDatabase(
            Path(path),
            must_open=must_open,
            is_ending=is_ending,
            check_folder=check_folder,
        )

    @property
    def path(self) -> Path:
        """The SQLite file, an absolute path."""
        return self._database.path

    @property
    def damage_check(self) -> DamageCheck:
        """Checks the whole file for damage, and records the damage that is found."""
        return self._database.damage_check

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._database.close()

    def checkpoint(self) -> None:
        """Copy the -wal file's content to the file itself, as far as possible without waiting."""
        self._database.checkpoint()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """
        Yield the samples of all extractors, to be read in one transaction.

        Other threads can read and write at the same time.
        """
        with self._database.reading('read the samples in') as connection:
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
        """
        Return the number of samples by extractor identity.

        The extractor of the newest sample comes first.
        """
        with self.snapshot() as samples:
            return dict(samples.rows(queries.COUNT_EXTRACTORS, str, int))

    def changes_by_others(self) -> tuple[object, int]:
        """
        Return a value that changes whenever another program, or another store, writes to the file.

        This method reads little, so it may be called every second.
        """
        with self._database.transaction('read the samples in') as connection:
            # Always use the same connection: values of different connections are not comparable.
            return Snapshot(connection, self.path).data_version()

    def list_samples(
        self, label: str = '', limit: int = 0, *, extractor: str, before: int = 0
    ) -> tuple[StoredSample, ...]:
        """
        Return samples, newest first.

        Args:
            label: class name; '' = all classes.
            limit: maximum number of samples; 0 = all.
            extractor: identity of the extractor; samples of other extractors are not listed.
            before: return only samples with a smaller id; 0 = no limit.

        Raises:
            ValueError: if ``limit`` is negative, or larger than 2**63 - 1.
        """
        if not 0 <= limit <= LARGEST_ID:
            raise ValueError(f'limit is {limit}; it must be 0 or more')
        before = min(before, LARGEST_ID)
        with self.snapshot() as samples:
            return samples.newest(label, limit, extractor=extractor, before=before)

    def training_set(self, *, extractor: str) -> TrainingSet:
        """
        Copy all samples of one extractor into memory.

        Args:
            extractor: identity of the extractor.

        Returns:
            The samples, oldest first; with embeddings ``[0, 0]`` if the extractor is not known.

        Raises:
            StoreError: if the file cannot be read, or a sample is damaged.
        """
        with self.snapshot() as samples:
            return samples.training_set(extractor)

    def picture(self, sample_id: int) -> StoredPicture | None:
        """Return the picture of a sample; None if the sample has no picture or does not exist."""
        with self.snapshot() as samples:
            return samples.picture(sample_id)

    def history(self) -> tuple[Change, ...]:
        """Return the changes that can be undone or redone, oldest first."""
        with self._database.reading('read the changes in') as connection:
            return Journal(connection, self.path).history()

    def unembedded(self, *, extractor: str) -> Unembedded:
        """Count the samples that have no embedding by the extractor with this identity."""
        with self.snapshot() as samples:
            rows = samples.rows(queries.COUNT_UNEMBEDDED, int, int, extractor=extractor)
            return Unembedded(*next(rows))

    def to_reembed(self, extractor: str) -> Iterator[StoredPicture]:
        """
        Iterate over the pictures of the samples that have no embedding by an extractor.

        Each picture is read in a separate transaction, so that only one is in memory, and samples
        that are removed in the meantime are skipped.  Store the new embedding of each picture with
        :meth:`SampleStore.add_embedding`.

        Args:
            extractor: identity of the extractor.
        """
        sql = queries.UNEMBEDDED_WITH_IMAGE
        with self.snapshot() as samples:
            ids = list(samples.rows(sql, int, extractor=extractor))
        for (sample_id,) in ids:
            if picture := self.picture(sample_id):
                yield picture


class SampleRow(NamedTuple):
    """A sample, without its camera, stamp, embedding and picture."""

    sample_id: int
    label: str
    added_ns: int
    addition: int
    recording: str


@dataclass(frozen=True)
class RowStates:
    """
    The samples of one extractor, and the removed samples of all extractors.

    Args:
        live: the samples that are not removed, oldest first.
        removed: when each removed sample was stored, nanoseconds since 1970, by the id of the
            sample; undo can restore these samples.
        last: the largest id that a sample ever had; 0 = there was no sample.
    """

    live: tuple[SampleRow, ...]
    removed: dict[int, int]
    last: int

    @classmethod
    def read(cls, snapshot: Snapshot, extractor: str) -> RowStates:
        """
        Read all rows; 100,000 take about a tenth of a second.

        Raises:
            MalformedRowError: if the file is damaged.
        """
        ((last,),) = snapshot.rows(queries.LAST_ROW, int)
        rows = snapshot.rows(queries.ROWS, int, str, int, int, str, extractor=extractor)
        return cls(
            tuple(SampleRow(*row) for row in rows),
            dict(snapshot.rows(queries.REMOVED_ROWS, int, int)),
            last,
        )
