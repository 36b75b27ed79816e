# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
QuestionStore: the questions of a data folder, in the same SQLite file as the samples.

A question is open until it is dismissed, or labelled, which makes it a sample.  Both are changes
in the journal, so :meth:`SampleStore.undo` can open the question again.
"""

from __future__ import annotations

from collections.abc import Iterable
import operator
from types import NoneType
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.questions import queries
from edgetpu_retrain.store.questions.question import given_from_json, StoredQuestion
from edgetpu_retrain.store.samples.changes import Changes
from edgetpu_retrain.store.samples.journal import ChangedSample
from edgetpu_retrain.store.samples.queries import RECORDING_AT
from edgetpu_retrain.store.samples.recording import MAX_PAUSE_S, recording_name
from edgetpu_retrain.store.samples.sample import check_sample, Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import LARGEST_ID, MalformedRowError, Snapshot
from edgetpu_retrain.wording import named

_STORED_QUESTION = int, str, str, int, int, str, int, int
_TO_ANSWER = int, str, int, int, int, bytes, (bytes, NoneType)


class QuestionStore:
    """
    Reads, labels and dismisses questions; thread-safe.

    Each change is on disk when the method returns.  All methods raise StoreError and
    FilesChangedError like the methods of SampleStore.

    Args:
        samples: the store of the samples; the caller closes it.
    """

    def __init__(self, samples: SampleStore) -> None:
        self._samples = samples

    def count(self, *, extractor: str) -> int:
        """Return the number of open questions of the extractor with this identity."""
        with self._samples.snapshot() as snapshot:
            return count(snapshot, extractor)

    def list_questions(self, limit: int, *, extractor: str) -> tuple[StoredQuestion, ...]:
        """
        Return open questions, newest first.

        Args:
            limit: maximum number of questions; 0 = all.
            extractor: identity of the extractor; questions of other extractors are not listed.
        """
        with self._samples.snapshot() as snapshot:
            rows = snapshot.rows(
                queries.NEWEST, *_STORED_QUESTION, extractor=extractor, limit=limit or -1
            )
            return tuple(map(_stored_question, rows))

    def picture(self, question_id: int) -> bytes | None:
        """Return the JPEG file of an open question; None if it has none or does not exist."""
        with self._samples.snapshot() as snapshot:
            return picture_of(snapshot, question_id)

    def answer(self, ids: Iterable[int], label: str) -> int:
        """
        Turn questions into samples of a class; return their number.

        Each new sample belongs to the recording of the camera's sample that is nearest in time, if
        they are less than a minute apart; otherwise, to a new recording.

        Args:
            ids: ids of the questions.
            label: class name.

        Raises:
            RequestError: if the label is invalid, there are too many classes, or a question is
                closed or does not exist; then nothing is changed.
        """
        check_label(label)
        with self._samples.changing('label questions in') as changes:
            # Add the oldest first, so that a new recording is named after its first frame.
            rows = sorted(_open_questions(changes, ids), key=lambda row: (row[2], row[3]))
            samples = {row[0]: _make_sample(changes, row, label) for row in rows}
            added = [ChangedSample(each, '', label) for each in samples.values()]
            if samples:
                changes.record('answer', added, questions=samples)
            return len(samples)

    def dismiss(self, ids: Iterable[int]) -> int:
        """
        Close questions without turning them into samples; return their number.

        :meth:`SampleStore.erase` with neither a label nor a number deletes dismissed questions.

        Args:
            ids: ids of the questions.

        Raises:
            RequestError: if a question is closed or does not exist; then nothing is changed.
        """
        with self._samples.changing('dismiss questions in') as changes:
            dismissed = {row[0]: 0 for row in _open_questions(changes, ids)}
            if dismissed:
                changes.record('dismiss', (), questions=dismissed)
            return len(dismissed)


def count(snapshot: Snapshot, extractor: str) -> int:
    """Return the number of open questions of the extractor with this identity."""
    ((number,),) = snapshot.rows(queries.COUNT, int, extractor=extractor)
    return int(number)


def picture_of(snapshot: Snapshot, question_id: int) -> bytes | None:
    """Return the JPEG file of an open question; None if it has none or does not exist."""
    value = question_id if abs(question_id) <= LARGEST_ID else None
    rows = snapshot.rows(queries.PICTURE, bytes, question_id=value)
    return next((jpeg for (jpeg,) in rows), None)


def _stored_question(row: tuple[Any, ...]) -> StoredQuestion:
    question_id, kind, camera, stamp_ns, asked_ns, text, model_version, has_image = row
    try:
        given = given_from_json(text)
    except ValueError as error:
        raise MalformedRowError(f'question {row[0]}: {error}') from error
    return StoredQuestion(
        question_id, kind, camera, stamp_ns, asked_ns, given, model_version, bool(has_image)
    )


def _open_questions(changes: Changes, ids: Iterable[int]) -> list[tuple[Any, ...]]:
    """Return the rows of open questions; raise RequestError if one is closed or missing."""
    wanted = list(dict.fromkeys(operator.index(each) for each in ids))
    rows = {
        row[0]: row
        for each in wanted
        if abs(each) <= LARGEST_ID
        for row in changes.rows(queries.TO_ANSWER, *_TO_ANSWER, question_id=each)
    }
    if missing := [str(each) for each in wanted if each not in rows]:
        raise RequestError(
            f'There is no question {named(missing)}, so nothing was changed: list the questions '
            'to see which there are. It may have been labelled or dismissed, or a newer one took '
            'its place.'
        )
    return list(rows.values())


def _make_sample(changes: Changes, row: tuple[Any, ...], label: str) -> int:
    """Add a question as a sample; return the id of the sample."""
    question_id, camera, stamp_ns, asked_ns, extractor_id, data, jpeg = row
    found = changes.rows(
        RECORDING_AT,
        str,
        camera=camera,
        stamp_ns=stamp_ns,
        taken_ns=asked_ns,
        pause_ns=MAX_PAUSE_S * 1_000_000_000,
    )
    recording = next((name for (name,) in list(found)), None) or recording_name(
        camera, asked_ns, f'q{question_id}'
    )
    sample = Sample(label, {}, camera, stamp_ns, jpeg, recording=recording)
    try:
        check_sample(sample)
    except ValueError as error:
        raise MalformedRowError(f'question {question_id}: {error}') from error
    return changes.add(sample, {extractor_id: data}, 0)
