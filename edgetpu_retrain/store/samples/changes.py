# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes: adds, relabels and removes samples in one transaction; undoes and redoes changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import operator
import time

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.change import Change, Kind
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.journal import ChangedSample, Journal
from edgetpu_retrain.store.samples.recording import continues, recording_name, Taken
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.snapshot import LARGEST_ID
from edgetpu_retrain.wording import named

MAX_CLASSES = 1000
"""
Maximum number of classes in a store.

With this number, the confusion matrix in the result of a training has a million entries.
"""


class Changes(Journal):
    """Adds, relabels and removes samples in a write transaction."""

    def extractor_row(self, identity: str, kind: EmbeddingKind) -> int:
        """
        Return the row id of an extractor; insert the row if it is missing.

        Args:
            identity: identity of the extractor.
            kind: kind of the extractor's embeddings.

        Raises:
            StoreError: if stored embeddings of the extractor are of another kind.
        """
        found = self.find_extractor(identity)
        if found is None:
            return self.insert('extractors', identity=identity, **kind.to_fields())
        extractor_id, stored = found
        if stored != kind:
            raise StoreError(
                f'The sample was not stored: extractor {identity[:12]} gave {kind}, but its '
                f'samples in {self._path} are {stored}. What to do: use the extractor with which '
                'they were made, or another data_dir.'
            )
        return extractor_id

    def add(self, sample: Sample, embeddings: Mapping[int, bytes], addition: int) -> int:
        """
        Add a sample with its picture and embeddings; return its id.

        The caller records the change in the journal.

        Args:
            sample: the sample; its field ``embeddings`` is ignored.
            embeddings: bytes to store of each embedding, by the row id of its extractor.
            addition: id of the first sample of the same request; 0 if this sample is the first.

        Raises:
            RequestError: if the sample's class is new, and there are already
                :data:`MAX_CLASSES` classes.
        """
        self._check_class(sample.label)
        added_ns = sample.added_ns or time.time_ns()
        recording = sample.recording
        if recording is None:
            taken = Taken(int(sample.stamp_ns), added_ns)
            recording = self._recording_before(sample.camera, taken, addition)
        sample_id = self.insert(
            'samples',
            label=sample.label,
            camera=sample.camera,
            stamp_ns=int(sample.stamp_ns),
            addition=addition,
            added_ns=added_ns,
            recording=recording,
        )
        if not addition:
            self._connection.execute('UPDATE samples SET addition = id WHERE id = ?', (sample_id,))
        if sample.recording is None and not recording:
            recording = recording_name(sample.camera, added_ns, sample_id)
            self._connection.execute(
                'UPDATE samples SET recording = ? WHERE id = ?', (recording, sample_id)
            )
        if sample.image is not None:
            self.insert('images', sample_id=sample_id, jpeg=sample.image)
        for extractor_id, data in embeddings.items():
            self.add_embedding(extractor_id, sample_id, data)
        return sample_id

    def add_embedding(self, extractor_id: int, sample_id: int, data: bytes) -> None:
        """Add an embedding of a sample; replace an earlier one by the same extractor."""
        self._connection.execute(
            'INSERT OR REPLACE INTO embeddings (extractor_id, sample_id, data) VALUES (?, ?, ?)',
            (extractor_id, sample_id, data),
        )

    def remove(self, ids: Iterable[int]) -> int:
        """Move samples to the tables of removed samples; return their number."""
        return self._change('remove', ids, '')

    def relabel(self, ids: Iterable[int], label: str) -> int:
        """
        Move samples to another class; return their number.

        Raises:
            RequestError: if the class is new, and there are already :data:`MAX_CLASSES` classes.
        """
        return self._change('relabel', ids, label)

    def undo(self) -> Change | None:
        """
        Undo the last change that is not undone yet; return it, or None if there is none.

        Raises:
            RequestError: if there would be more than :data:`MAX_CLASSES` classes.
        """
        done = [change for change in self.history() if not change.undone]
        return self._repeat(done[-1], undone=True) if done else None

    def redo(self) -> Change | None:
        """
        Redo the change that was undone last; return it, or None if there is none.

        Raises:
            RequestError: if there would be more than :data:`MAX_CLASSES` classes.
        """
        undone = [change for change in self.history() if change.undone]
        return self._repeat(undone[0], undone=False) if undone else None

    def checked_ids(self, ids: Iterable[int], *, or_removed: bool = False) -> list[int]:
        """
        Check that samples exist, and return their ids without duplicates.

        Args:
            ids: ids of the samples.
            or_removed: whether removed samples are accepted, too.

        Raises:
            RequestError: if one of the samples does not exist.
        """
        tables = ('samples', 'removed_samples')[: 1 + or_removed]
        wanted = list(dict.fromkeys(operator.index(sample_id) for sample_id in ids))
        missing = [
            each for each in wanted if not any(self.exists(each, table) for table in tables)
        ]
        if missing:
            listed = named([str(number) for number in missing])
            raise RequestError(
                f'There is no sample {listed}, so nothing was changed: list the samples to see '
                'which there are.'
            )
        return wanted

    def exists(self, sample_id: int, table: str = 'samples') -> bool:
        """Return whether a table of samples has a row with this id."""
        sql = f'SELECT EXISTS (SELECT 1 FROM {table} WHERE id = :id)'  # noqa: S608
        return 1 <= sample_id <= LARGEST_ID and bool(self._count(sql, id=sample_id))

    def _recording_before(self, camera: str, taken: Taken, addition: int) -> str:
        """Return the recording to which a new sample of a camera belongs; '' = a new one."""
        if addition:
            rows = self.rows(queries.NEWEST_OF_REQUEST, str, addition=addition, camera=camera)
            for (recording,) in rows:
                return str(recording)
        rows = self.rows(queries.NEWEST_OF_CAMERA, str, int, int, camera=camera)
        return next((name for name, *then in rows if continues(Taken(*then), taken)), '')

    def _check_class(self, label: str) -> None:
        """Raise RequestError if a label is a new class, and there are already MAX_CLASSES."""
        if self._count('SELECT EXISTS (SELECT 1 FROM samples WHERE label = :label)', label=label):
            return
        if self._count('SELECT COUNT(DISTINCT label) FROM samples') >= MAX_CLASSES:
            raise RequestError(
                f'{label!r} would be one class more than the {MAX_CLASSES} that there may be: '
                'remove or relabel one, or set another data_dir.'
            )

    def _change(self, kind: Kind, ids: Iterable[int], label: str) -> int:
        """Relabel samples ('' removes them) and record the change; return their number."""
        samples = [
            ChangedSample(sample_id, old_label, label)
            for each in ids
            for sample_id, old_label in self.rows(queries.LABEL, int, str, sample_id=each)
        ]
        changed = [sample for sample in samples if sample.old_label != label]
        self._set_label(label, [sample.sample_id for sample in changed])
        if changed:
            self.record(kind, changed)
        return len(samples)

    def _repeat(self, change: Change, *, undone: bool) -> Change:
        ids: dict[str, list[int]] = {}
        for sample_id, old_label, new_label in self.changed_samples(change):
            ids.setdefault(old_label if undone else new_label, []).append(sample_id)
        # The label '' comes first, because removing samples may make room for other classes.
        for label in sorted(ids):
            if label:
                # Check before restoring the samples: afterwards, the class would already exist.
                self._check_class(label)
                missing = [each for each in ids[label] if not self.exists(each)]
                self._execute(queries.RESTORE, missing)
            self._set_label(label, ids[label])
        self.mark(change, undone=undone)
        return change

    def _set_label(self, label: str, ids: list[int]) -> None:
        """Set the label of samples; '' removes them."""
        if not label:
            self._execute(queries.REMOVE, ids)
            return
        self._check_class(label)
        rows = [(label, sample_id) for sample_id in ids]
        self._connection.executemany('UPDATE samples SET label = ? WHERE id = ?', rows)

    def _execute(self, statements: Iterable[str], ids: list[int]) -> None:
        for sql in statements:
            self._connection.executemany(sql, [(sample_id,) for sample_id in ids])
