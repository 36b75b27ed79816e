# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Journal: the table of the last changes of the samples.

The changes are in the order in which they were made; those that were undone are the last ones.  A
new change deletes them, so undo and redo always find the samples as the change left them.
"""

from __future__ import annotations

from collections.abc import Iterable
import time
from typing import NamedTuple

from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.change import Change, Kind, LabelChange
from edgetpu_retrain.store.samples.snapshot import Snapshot

MAX_CHANGES = 100
"""Changes that can be undone."""

MAX_AGE_S = 604_800
"""Of a change, seven days: what was removed by mistake is missed sooner."""


class ChangedSample(NamedTuple):
    """A sample before and after a change."""

    sample_id: int
    old_label: str
    """'' if it was not there before."""
    new_label: str
    """'' if it was removed."""


class Journal(Snapshot):
    """The samples and the journal of their changes, in a transaction that writes."""

    def history(self) -> tuple[Change, ...]:
        """Return the changes, oldest first."""
        return tuple(
            Change(
                change_id,
                kind,
                made_ns,
                bool(undone),
                tuple(
                    LabelChange(*row)
                    for row in self.rows(
                        queries.LABELS_OF_CHANGE, str, str, int, change_id=change_id
                    )
                ),
            )
            for change_id, kind, made_ns, undone in list(
                self.rows(queries.CHANGES, int, str, int, int)
            )
        )

    def changed_samples(self, change: Change) -> list[ChangedSample]:
        """Return the samples of a change."""
        rows = self.rows(queries.SAMPLES_OF_CHANGE, int, str, str, change_id=change.change_id)
        return [ChangedSample(*row) for row in rows]

    def mark(self, change: Change, *, undone: bool) -> None:
        """Write down that a change was undone, or redone."""
        self._connection.execute(
            'UPDATE changes SET undone = ? WHERE id = ?', (int(undone), change.change_id)
        )

    def record(self, kind: Kind, samples: Iterable[ChangedSample], *, addition: int = 0) -> None:
        """
        Add a change, or samples to the change of an addition that is not complete.

        Args:
            kind: what was done.
            samples: what was done to each sample.
            addition: id of the first sample of the same request, 0 if none was added.
        """
        earlier = self._change_of(addition) if addition else None
        change_id = earlier or self._insert(
            'changes', kind=kind, made_ns=time.time_ns(), addition=addition
        )
        self._connection.executemany(
            'INSERT INTO changed_samples (change_id, sample_id, old_label, new_label) '
            'VALUES (?, ?, ?, ?)',
            [(change_id, *sample) for sample in samples],
        )
        if not earlier:
            # Afterwards: before, no change would refer to samples that were just removed.
            self._delete('undone')
            self.prune()

    def prune(self) -> None:
        """Delete changes that are too many or too old."""
        oldest_ns = time.time_ns() - MAX_AGE_S * 1_000_000_000
        # No change can be redone after one that is missing.
        self._delete(queries.TOO_OLD, oldest_ns=oldest_ns)
        self._delete(queries.TOO_MANY, limit=MAX_CHANGES)

    def erase(self, ids: Iterable[int]) -> None:
        """Delete samples, whether removed or not, and what the journal has of them."""
        rows = [(sample_id,) for sample_id in ids]
        for sql in queries.ERASE:
            self._connection.executemany(sql, rows)
        self._delete(queries.WITHOUT_SAMPLES)

    def _change_of(self, addition: int) -> int | None:
        rows = self.rows(queries.CHANGE_OF_ADDITION, int, addition=addition)
        return next((change_id for (change_id,) in rows), None)

    def _delete(self, condition: str, **values: object) -> None:
        """Delete changes, and the removed samples that only these refer to."""
        sql = f'DELETE FROM changes WHERE {condition}'  # noqa: S608
        if self._connection.execute(sql, values).rowcount:
            self._connection.execute(queries.DELETE_FORGOTTEN)

    def _insert(self, table: str, **values: object) -> int:
        """Insert a row; return its id."""
        columns, places = ', '.join(values), ', '.join(f':{name}' for name in values)
        sql = f'INSERT INTO {table} ({columns}) VALUES ({places})'  # noqa: S608
        row = self._connection.execute(sql, values).lastrowid
        assert row is not None  # None only before the first INSERT
        return row
