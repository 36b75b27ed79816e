# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
SampleStore: the labelled embeddings a robot has been taught, in one SQLite file.

An embedding is kept as its extractor wrote it.  Embeddings of different extractors live side
by side and are never mixed: each question names the extractor it is about.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgetpu_retrain.store.samples import changes as sample_changes
from edgetpu_retrain.store.samples.adding import SampleAdder
from edgetpu_retrain.store.samples.changes import Undone
from edgetpu_retrain.store.samples.new_sample import NewSample
from edgetpu_retrain.store.samples.sample_set import SampleSet
from edgetpu_retrain.store.samples.stored_sample import StoredPicture, StoredSample, Unembedded

__all__ = [
    'NewSample',
    'SampleSet',
    'SampleStore',
    'StoredPicture',
    'StoredSample',
    'Undone',
    'Unembedded',
]


class SampleStore(SampleAdder):
    """
    The samples on disk; every method may be called from any thread.

    What a method changed is on the disk when it returns; when it raises, nothing was changed.

    Args:
        path: the SQLite file, created (with its folder) when it is not there.
        is_ending: asked while another program holds the file: whether to wait no longer.

    Raises:
        StoreError: when the file cannot be opened, is not ours or is of a newer release.

    Example::

        with SampleStore(data_folder('') / 'samples.db') as store:
            store.add('mug', embedding, extractor=identity, quantization=parameters)
            samples = store.snapshot(extractor=identity)
    """

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
