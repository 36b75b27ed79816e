# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Asking: decides whether a frame becomes a question, and stores the question."""

from __future__ import annotations

import time

from edgetpu_retrain.label import UNKNOWN
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.store.questions import queries
from edgetpu_retrain.store.questions.nearest_sample import NearestSample
from edgetpu_retrain.store.questions.question import given_to_json, Question, QuestionKind
from edgetpu_retrain.store.questions.spread import Spread
from edgetpu_retrain.store.samples.changes import Changes
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.newest_vectors import cosine_distances, unit_vectors
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.store.samples.snapshot import MalformedRowError, Snapshot
import numpy as np

MAX_QUESTIONS = 1000
"""Maximum number of open questions about frames."""

MAX_BYTES = 64 * 1024 * 1024
"""Maximum size of the open questions, bytes: their pictures, and their embeddings as float32."""

# Placeholder for the id of a question that is not stored yet.
_NEW = 0


class Asking:
    """
    Stores frames of one extractor as questions; not thread-safe.

    A near copy of an open or dismissed question is not stored.  A near copy of a sample is stored
    only if the label of the sample contradicts the classification of the frame.

    If there are too many questions, those of other extractors, which the node does not list, are
    deleted first, then those that :class:`~edgetpu_retrain.store.questions.spread.Spread` selects.
    Questions about samples of the fleet are neither counted nor deleted.

    Args:
        samples: the store of the samples; the caller closes it.
        extractor: identity of the extractor.
        kind: kind of its embeddings.
        near: the cosine distance below which two frames are near copies.
    """

    def __init__(
        self, samples: SampleStore, extractor: str, kind: EmbeddingKind, near: float
    ) -> None:
        self._samples = samples
        self._extractor = extractor
        self._kind = kind
        self._near = near
        self._nearest = NearestSample(samples, extractor, kind)
        self._spread = Spread()
        # Size in bytes of each open question about a frame, by id, oldest first: those of this
        # extractor, and those of other extractors.
        self._own: dict[int, int] = {}
        self._others: dict[int, int] = {}
        # Unit vectors of the newest dismissed questions, by id; their near copies are not stored.
        self._dismissed: dict[int, FloatArray] = {}
        self._version: object = None

    def weigh(
        self, question: Question, *, labels: tuple[str, ...], trained_ns: int
    ) -> QuestionKind | None:
        """
        Return the kind of the question that a frame becomes; None = do not store the frame.

        Args:
            question: the frame, with an embedding of this extractor.
            labels: the classes of the model that classified the frame.
            trained_ns: when this model was trained, nanoseconds since 1970.  Samples that were
                stored later do not contradict the model, which was trained without them.

        Raises:
            StoreError: if the store cannot be read.
        """
        if not np.isfinite(question.embedding).all():
            return None
        vector = unit_vectors(question.embedding, self._kind.quantization)
        nearest = self._nearest.of(vector)
        why = question.kind
        if nearest.distance < self._near:
            is_older = nearest.label in labels and nearest.added_ns < trained_ns
            why = 'conflict' if is_older and _contradicts(nearest.label, question) else None
        if why is None:
            return None
        self._update()
        distances = [*self._spread.distances(vector)]
        if self._dismissed:
            distances += [*cosine_distances(np.stack([*self._dismissed.values()]), vector)]
        return None if min(distances, default=np.inf) < self._near else why

    def store(self, question: Question, most: int) -> int:
        """
        Store a frame as a question, and delete other questions if there are too many.

        Args:
            question: the frame; its ``kind`` is the return value of :meth:`weigh`.
            most: maximum number of open questions about frames, 1 to :data:`MAX_QUESTIONS`.

        Returns:
            The id of the question; 0 if the frame was not stored, because there are too many
            questions, and the frame is nearer to one of them than any two are to each other.

        Raises:
            StoreError: if the store cannot be read or written.
        """
        self._update()
        vector = unit_vectors(question.embedding, self._kind.quantization)
        spread = self._spread
        sizes = self._others | self._own
        sizes[_NEW] = 4 * vector.size + len(question.image or b'')
        spread.add(_NEW, vector)
        self._version = None
        others = list(self._others)
        deleted = []
        while len(sizes) > most or sum(sizes.values()) > MAX_BYTES:
            deleted.append(others.pop(0) if others else spread.to_delete())
            del sizes[deleted[-1]]
            spread.keep(sizes)
        stored = 0
        if deleted != [_NEW]:
            with self._samples.changing('store a question in') as changes:
                changes.delete_questions(each for each in deleted if each != _NEW)
                if _NEW not in deleted:
                    stored = insert_question(changes, question, self._extractor, self._kind)
        return stored

    def _update(self) -> None:
        """Read questions that are new since the last call; drop those no longer in the store."""
        version = self._samples.version()
        if version == self._version:
            return
        self._own, self._others = {}, {}
        with self._samples.snapshot() as snapshot:
            for question_id, extractor, size in snapshot.rows(queries.SIZES, int, str, int):
                own = self._own if extractor == self._extractor else self._others
                own[question_id] = size
            self._spread.keep(self._own)
            for question_id in self._own.keys() - set(self._spread.ids):
                self._spread.add(question_id, self._vector(snapshot, question_id))
            known = self._dismissed
            rows = list(
                snapshot.rows(
                    queries.DISMISSED, int, extractor=self._extractor, limit=MAX_QUESTIONS
                )
            )
            self._dismissed = {
                each: known[each] if each in known else self._vector(snapshot, each)
                for (each,) in rows
            }
        self._version = version

    def _vector(self, snapshot: Snapshot, question_id: int) -> FloatArray:
        for (data,) in snapshot.rows(queries.EMBEDDING, bytes, question_id=question_id):
            if len(data) == self._kind.num_bytes:
                return unit_vectors(self._kind.from_disk(data), self._kind.quantization)
        raise MalformedRowError(f'question {question_id} has no embedding of {self._kind}')


def insert_question(
    changes: Changes, question: Question, extractor: str, kind: EmbeddingKind
) -> int:
    """
    Store a question; return its id.

    Args:
        changes: a write transaction.
        question: the question; its ``kind`` must not be None.
        extractor: identity of the extractor.
        kind: kind of its embeddings.

    Raises:
        StoreError: if stored embeddings of the extractor are of another kind.
    """
    return changes.insert(
        'questions',
        kind=question.kind,
        camera=question.camera,
        stamp_ns=question.stamp_ns,
        asked_ns=time.time_ns(),
        classification=given_to_json(question.given),
        model_version=question.model_version,
        extractor_id=changes.extractor_row(extractor, kind),
        data=kind.to_disk(question.embedding),
        jpeg=question.image,
    )


def _contradicts(label: str, question: Question) -> bool:
    """Return whether a frame was classified as neither ``label`` nor unknown."""
    best = question.given[0].label
    return best not in (label, UNKNOWN)
