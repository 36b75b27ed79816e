# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""SampleCorrections: removes, relabels and erases stored samples, undoes and redoes changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.database.migration import copies_of
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.change import Change, ChangeAges
from edgetpu_retrain.store.samples.changes import Changes
from edgetpu_retrain.store.samples.novelty import NoveltyCheck
from edgetpu_retrain.store.samples.sample import Erased
from edgetpu_retrain.store.samples.snapshot import LARGEST_ID
from edgetpu_retrain.store.samples.stored_samples import StoredSamples


class SampleCorrections(StoredSamples):
    """
    The methods of ``SampleStore`` that correct samples.

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
        super().__init__(path, must_open=must_open, is_ending=is_ending, check_folder=check_folder)
        self._novelty = NoveltyCheck()
        self._ages = ChangeAges()
        self._writes = 0
        if self._database.is_open:
            # Ignore a full disk: samples can still be read, and the next change prunes again.
            with suppress(StoreError), self.changing('delete old changes in') as changes:
                changes.prune()

    def remove(self, label: str, newest: int, *, extractor: str) -> int:
        """
        Remove the newest samples of a class, a whole class, or the newest of all classes.

        :meth:`undo` restores them.

        Args:
            label: class name; '' = all classes.
            newest: number of samples to remove; 0 = all samples of the class.
            extractor: identity of the extractor; samples of other extractors stay.

        Returns:
            The number of removed samples.

        Raises:
            RequestError: if neither ``label`` nor ``newest`` is given, ``newest`` is negative, or
                ``label`` is invalid.
        """
        if not label and not newest:
            raise RequestError(
                'Neither a label nor a number of samples is given, which would remove everything: '
                'name the class to remove, or how many of the newest samples.'
            )
        _check_which(label, newest)
        with self.changing('remove samples from') as changes:
            limit = min(newest, LARGEST_ID)
            return changes.remove(changes.newest_ids(label, limit, extractor=extractor))

    def remove_samples(self, ids: Iterable[int]) -> int:
        """
        Remove single samples, which :meth:`undo` restores; return their number.

        Args:
            ids: ids of the samples.

        Raises:
            RequestError: if one of the samples does not exist; then none is removed.
        """
        with self.changing('remove samples from') as changes:
            return changes.remove(changes.checked_ids(ids))

    def relabel_class(self, label: str, new_label: str, *, extractor: str) -> int:
        """
        Rename a class; if there is a class with the new name, merge the two.

        Args:
            label: name of the class.
            new_label: new name of the class.
            extractor: identity of the extractor; samples of other extractors stay unchanged.

        Returns:
            The number of relabelled samples; 0 if there is no such class.

        Raises:
            RequestError: if a label is invalid, both are the same, or there are too many classes.
        """
        check_label(label, taught_before=True)
        check_label(new_label)
        if label == new_label:
            raise RequestError(f'The class is called {label!r} already: give it another label.')
        with self.changing('relabel samples in') as changes:
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
        with self.changing('relabel samples in') as changes:
            return changes.relabel(changes.checked_ids(ids), new_label)

    def undo(self) -> Change | None:
        """
        Undo the last change of samples or questions; call again to undo earlier changes.

        The samples may be of any extractor.

        Returns:
            The undone change; None if the journal has no change left to undo.

        Raises:
            RequestError: if there would be too many classes.
        """
        with self.changing('undo the last change in') as changes:
            return changes.undo()

    def redo(self) -> Change | None:
        """
        Redo the change that :meth:`undo` undid last; call again to redo later changes.

        Returns:
            The redone change; None if no change was undone, or another change was made since.

        Raises:
            RequestError: if there would be too many classes.
        """
        with self.changing('redo a change in') as changes:
            return changes.redo()

    def erase(self, label: str = '', newest: int = 0, *, extractor: str) -> Erased:
        """
        Delete samples permanently: from the file, the journal and the write-ahead log.

        Args:
            label: class name; '' = all classes.
            newest: number of samples to erase, the newest first; 0 = all samples of the class, of
                all extractors, including removed ones.  With neither a label nor a number, all
                removed samples and all dismissed questions are erased.
            extractor: identity of the extractor; ignored if ``newest`` is 0.

        Raises:
            RequestError: if ``newest`` is negative, or the label is invalid.
            StoreError: if the file cannot be read or written, or if the write-ahead log cannot be
                emptied, because another program or thread uses it.  In the second case, the
                samples are deleted, but their data may still be in the files.
        """
        _check_which(label, newest)
        with self.changing('erase samples in') as changes:
            if newest:
                ids = changes.newest_ids(label, min(newest, LARGEST_ID), extractor=extractor)
            else:
                ids = [each for (each,) in changes.rows(queries.TO_ERASE, int, label=label)]
            changes.erase(ids)
            questions = 0 if label or newest else changes.erase_dismissed()
        return self._erased(len(ids), questions)

    def erase_samples(self, ids: Iterable[int]) -> Erased:
        """
        Delete single samples permanently, including removed ones; see :meth:`erase`.

        Args:
            ids: ids of the samples.

        Raises:
            RequestError: if one of the samples does not exist; then none is deleted.
            StoreError: as :meth:`erase`.
        """
        with self.changing('erase samples in') as changes:
            checked = changes.checked_ids(ids, or_removed=True)
            changes.erase(checked)
        return self._erased(len(checked))

    def _erased(self, samples: int, questions: int = 0) -> Erased:
        self._database.empty_log()
        return Erased(samples, copies_of(self.path), questions)

    def check_clock(self) -> None:
        """
        Correct the times of the changes if the system's clock has jumped; call it periodically.

        Otherwise, a process that starts later takes recent changes for old ones, and deletes them.
        """
        if self._ages.clock_has_jumped():
            with self.changing('correct the times of changes in') as changes:
                changes.correct_times()

    def version(self) -> tuple[int, tuple[object, int]]:
        """Return a value that differs after each change, by this store or by others."""
        return self._writes, self.changes_by_others()

    @contextmanager
    def changing(self, action: str, *, compared: bool = False) -> Iterator[Changes]:
        """
        Run the ``with`` block in a write transaction.

        Args:
            action: what the block does; completes 'Cannot ...' in an error message.
            compared: whether the block uses the novelty check, and therefore updates its cache.
        """
        with self._database.transaction(action, writing=True) as connection:
            self._writes += 1
            if not compared:
                self._novelty.outdate()
            yield Changes(connection, self.path, self._ages)


def _check_which(label: str, newest: int) -> None:
    if newest < 0:
        raise RequestError(
            f'n is {newest}: ask for 1 or more of the newest samples, or 0 with a label to '
            'remove the whole class.'
        )
    if label:
        check_label(label, taught_before=True)
