# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
SampleReader: what can be asked of the samples in a database.

Embeddings of different extractors live side by side and are never mixed: each question names the
extractor it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from edgetpu_retrain.store.database.connection import Durability, SampleDatabase
from edgetpu_retrain.store.samples import stored_sample
from edgetpu_retrain.store.samples.sample_set import read_sample_set, SampleSet
from edgetpu_retrain.store.samples.snapshot import SampleSnapshot
from edgetpu_retrain.store.samples.stored_sample import StoredPicture, StoredSample, Unembedded

# typing.Self is of Python 3.11.
Self = TypeVar('Self', bound='SampleReader')


class SampleReader:
    """
    An open sample database; every method may be called from any thread.

    Args:
        path: the SQLite file, created (with its folder) when it is not there.
        is_ending: asked while another program holds the file: whether to wait no longer.

    Raises:
        StoreError: when the file cannot be opened, is not ours or is of a newer release.
    """

    _must_open = True

    def __init__(self, path: Path, *, is_ending: Callable[[], bool] = lambda: False) -> None:
        self._database = SampleDatabase(Path(path), must_open=self._must_open, is_ending=is_ending)

    @property
    def path(self) -> Path:
        """The SQLite file, an absolute path."""
        return self._database.path

    def __enter__(self: Self) -> Self:
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
            return stored_sample.count_classes(connection, extractor)

    def changes_by_others(self) -> int:
        """
        Return a number that differs when another program, or another store, has changed the file.

        It reads one page (https://www.sqlite.org/pragma.html#pragma_data_version), so it may be
        asked every second.

        Raises:
            StoreError: when the file cannot be read.
        """
        with self._database.transaction('look for changes of') as connection:
            return int(connection.execute('PRAGMA data_version').fetchone()[0])

    def extractors(self) -> dict[str, int]:
        """
        Return identity of extractor to number of its samples, the one last taught with first.

        Raises:
            StoreError: when the file cannot be read.
        """
        with self._database.transaction('count the samples in') as connection:
            return stored_sample.count_extractors(connection)

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
            StoreError: when the file cannot be read.
        """
        if not 0 <= limit < 2**63:
            raise ValueError(f'limit is {limit}; it must be 0 or more')
        with self._database.transaction('list the samples in') as connection:
            return stored_sample.list_newest(connection, label, limit, extractor)

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
            return read_sample_set(connection, self.path, extractor)

    @contextmanager
    def all_samples(self) -> Iterator[SampleSnapshot]:
        """
        Look at all samples of all extractors as they are at this moment.

        Raises:
            StoreError: when the file cannot be read.
        """
        with self._database.transaction('read the samples in') as connection:
            yield SampleSnapshot(connection, self.path)

    def picture(self, sample_id: int) -> StoredPicture | None:
        """
        Return the stored picture of a sample, None when it has none or is not there.

        Raises:
            StoreError: when the file cannot be read.
        """
        with self._database.transaction('read a picture in') as connection:
            return stored_sample.read_picture(connection, sample_id)

    def unembedded(self, *, extractor: str) -> Unembedded:
        """
        Count the samples that were taught with other extractors only.

        Args:
            extractor: identity of the extractor that has not seen them.

        Raises:
            StoreError: when the file cannot be read.
        """
        with self._database.transaction('count the samples in') as connection:
            return stored_sample.count_unembedded(connection, extractor)

    def to_reembed(self, extractor: str) -> Iterator[StoredPicture]:
        """
        Go through the pictures of the samples that have no embedding of an extractor.

        Each is read when its turn comes, so that neither the memory nor other threads suffer;
        give its embedding to :meth:`add_embedding`.

        Args:
            extractor: identity of the extractor that has not seen them.

        Raises:
            StoreError: when the file cannot be read.
        """
        with self._database.transaction('read the pictures in') as connection:
            ids = stored_sample.ids_to_reembed(connection, extractor)
        for sample_id in ids:
            picture = self.picture(sample_id)
            # Else it was removed meanwhile.
            if picture is not None:
                yield picture

    def durability(self) -> Durability:
        """
        Read the durability settings of the connection that samples are written with.

        Raises:
            StoreError: when the store is closed.
        """
        return self._database.durability()
