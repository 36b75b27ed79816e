# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Journal: the last changes of samples and questions, for undo and redo.

The changes are in the order in which they were made.  Undone changes are the last ones, and a new
change deletes them.  The samples are therefore in the state that the next undo or redo requires.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
import sqlite3
import time
from types import MappingProxyType
from typing import NamedTuple

from edgetpu_retrain.store.samples import queries
from edgetpu_retrain.store.samples.change import Change, ChangeAges, Kind, LabelChange
from edgetpu_retrain.store.samples.snapshot import Snapshot

MAX_CHANGES = 100
"""Maximum number of changes in the journal."""

MAX_AGE_S = 604_800
"""Maximum age of a change in the journal, seconds: seven days in which to notice a mistake."""


class ChangedSample(NamedTuple):
    """A sample before and after a change."""

    sample_id: int
    old_label: str
    """'' if the change added it."""
    new_label: str
    """'' if the change removed it."""


class Journal(Snapshot):
    """
    The samples and the journal of their changes, as one transaction sees them.

    Args:
        connection: a connection in a transaction.
        path: the SQLite file, for messages.
        ages: what this process knows about the ages of the changes; None = nothing.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, ages: ChangeAges | None = None
    ) -> None:
        super().__init__(connection, path)
        self._ages = ages or ChangeAges()

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
                self._count(queries.QUESTIONS_OF_CHANGE, change_id=change_id),
            )
            for change_id, kind, made_ns, undone in list(
                self.rows(queries.CHANGES, int, str, int, int)
            )
        )

    def changed_samples(self, change: Change) -> list[ChangedSample]:
        """Return the samples of a change, with their old and new labels."""
        rows = self.rows(queries.SAMPLES_OF_CHANGE, int, str, str, change_id=change.change_id)
        return [ChangedSample(*row) for row in rows]

    def mark(self, change: Change, *, undone: bool) -> None:
        """Mark a change as undone or as redone; open or close its questions."""
        self._connection.execute(
            'UPDATE changes SET undone = ? WHERE id = ?', (int(undone), change.change_id)
        )
        self._connection.execute(
            'UPDATE questions SET closed = ? '
            'WHERE id IN (SELECT question_id FROM changed_questions WHERE change_id = ?)',
            (int(not undone), change.change_id),
        )

    def record(
        self,
        kind: Kind,
        samples: Iterable[ChangedSample],
        *,
        addition: int = 0,
        questions: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """
        Add a change to the journal, or add samples to the change of the same request.

        Args:
            kind: kind of the change.
            samples: the changed samples, with their old and new labels.
            addition: id of the first sample of the same request; 0 if no later sample can
                be added to the change.
            questions: for each question that the change closes, by its id: the id of the sample
                that it became; 0 = it was dismissed.
        """
        self._look()
        earlier = self._change_of(addition) if addition else None
        change_id = earlier or self.insert(
            'changes', kind=kind, made_ns=time.time_ns(), addition=addition
        )
        self._connection.executemany(
            'INSERT INTO changed_samples (change_id, sample_id, old_label, new_label) '
            'VALUES (?, ?, ?, ?)',
            [(change_id, *sample) for sample in samples],
        )
        self._connection.executemany(
            'INSERT INTO changed_questions (change_id, question_id, sample_id) VALUES (?, ?, ?)',
            [(change_id, *pair) for pair in questions.items()],
        )
        self._connection.executemany(
            'UPDATE questions SET closed = 1 WHERE id = ?', [(each,) for each in questions]
        )
        if not earlier:
            # Delete after the INSERT, because _delete() deletes removed samples without a change.
            self._delete('undone')
            self.prune()

    def addition_of(self, label: str, recording: str) -> int:
        """
        Return the addition that further samples of a named recording join; 0 = a new addition.

        An addition is named by the id of its first sample.  While a user holds a button, each
        frame is stored by a separate request, with the same recording.  All these samples join one
        addition, so that undo removes them together.

        Args:
            label: class name of all samples of the addition.
            recording: name of their recording.
        """
        rows = self.rows(queries.ADDITION_OF_RECORDING, int, label=label, recording=recording)
        return next((addition for (addition,) in rows), 0)

    def prune(self) -> None:
        """Delete the oldest changes beyond MAX_CHANGES, and those older than MAX_AGE_S."""
        self.correct_times()
        oldest_ns = time.time_ns() - MAX_AGE_S * 1_000_000_000
        # If one undone change is too old, delete all of them: they can only be redone in order.
        self._delete(queries.TOO_OLD, oldest_ns=oldest_ns)
        self._delete(queries.TOO_MANY, limit=MAX_CHANGES)
        self._look()

    def correct_times(self) -> None:
        """Set later times for changes that look too old because the clock has jumped forward."""
        now_ns = time.time_ns()
        for change_id, made_ns in list(self.rows(queries.TIMES_OF_CHANGES, int, int)):
            age_ns = self._ages.largest_ns(change_id)
            if age_ns is not None and made_ns < now_ns - age_ns:
                self._connection.execute(
                    'UPDATE changes SET made_ns = ? WHERE id = ?', (now_ns - age_ns, change_id)
                )
        self._ages.times_are_right()

    def erase(self, ids: Iterable[int]) -> None:
        """Delete samples, removed or not, their closed questions, and their journal entries."""
        rows = [(sample_id,) for sample_id in ids]
        for sql in queries.ERASE:
            self._connection.executemany(sql, rows)
        self.delete_empty()

    def erase_dismissed(self) -> int:
        """Delete the questions that were dismissed; return their number."""
        erased = self._connection.execute(queries.ERASE_DISMISSED).rowcount
        self.delete_empty()
        return erased

    def delete_questions(self, ids: Iterable[int]) -> None:
        """Delete questions, and their entries in the journal."""
        rows = [(question_id,) for question_id in ids]
        self._connection.executemany('DELETE FROM questions WHERE id = ?', rows)
        self.delete_empty()

    def delete_empty(self) -> None:
        """Delete the changes whose samples and questions were all erased."""
        self._delete(queries.EMPTY)

    def _look(self) -> None:
        self._ages.look(self._count(queries.LAST_CHANGE))

    def _change_of(self, addition: int) -> int | None:
        rows = self.rows(queries.CHANGE_OF_ADDITION, int, addition=addition)
        return next((change_id for (change_id,) in rows), None)

    def _delete(self, condition: str, **values: object) -> None:
        """Delete changes; delete removed samples and closed questions that no change refers to."""
        sql = f'DELETE FROM changes WHERE {condition}'  # noqa: S608
        if self._connection.execute(sql, values).rowcount:
            for statement in queries.DELETE_FORGOTTEN:
                self._connection.execute(statement)

    def insert(self, table: str, **values: object) -> int:
        """Insert a row; return its id."""
        columns, places = ', '.join(values), ', '.join(f':{name}' for name in values)
        sql = f'INSERT INTO {table} ({columns}) VALUES ({places})'  # noqa: S608
        row = self._connection.execute(sql, values).lastrowid
        assert row is not None  # None only before the first INSERT
        return row
