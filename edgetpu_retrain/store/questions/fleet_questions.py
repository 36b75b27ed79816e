# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FleetQuestions: stores questions about samples of the fleet whose label is uncertain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from edgetpu_retrain.store.questions import queries
from edgetpu_retrain.store.questions.asking import insert_question
from edgetpu_retrain.store.questions.question import MAX_GIVEN, Question
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import MAX_CAMERA_LENGTH
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import one_line

MAX_FLEET_QUESTIONS = 200
"""Maximum number of open questions about samples of the fleet; those about frames do not count."""

BETWEEN_ROBOTS = ', '
"""Separates the robots that claim the same label."""

BETWEEN_LABELS = ' / '
"""Separates the robots of one label from those of the next one."""


_MAX_GROUP_LENGTH = MAX_CAMERA_LENGTH // MAX_GIVEN - len(BETWEEN_LABELS)


class FleetQuestions:
    """
    Stores and deletes questions about samples of the fleet; thread-safe.

    Users answer these questions like questions about frames: on the teaching page or with a
    service.  All methods raise StoreError and FilesChangedError like the methods of SampleStore.

    Args:
        samples: the store of the samples; the caller closes it.
        extractor: identity of the extractor.
        kind: kind of its embeddings.
    """

    def __init__(self, samples: SampleStore, extractor: str, kind: EmbeddingKind) -> None:
        self._samples = samples
        self._extractor = extractor
        self._kind = kind

    def open_ids(self) -> set[int]:
        """Return the ids of the open questions about samples of the fleet, of any extractor."""
        with self._samples.snapshot() as snapshot:
            return {question_id for (question_id,) in snapshot.rows(queries.OF_FLEET, int)}

    def answers(self) -> dict[int, bool]:
        """
        Return whether each answer is still a sample, by the id of the answered question.

        An answer that is older than the journal is not returned.
        """
        with self._samples.snapshot() as snapshot:
            rows = snapshot.rows(queries.ANSWERED, int, int)
            return {question_id: bool(is_sample) for question_id, is_sample in rows}

    def last_id(self) -> int:
        """Return the greatest id that a question in the file has had, of any kind; 0 = none."""
        with self._samples.snapshot() as snapshot:
            ((last,),) = snapshot.rows(queries.LAST_ID, int)
            return int(last)

    def change(self, withdrawn: Collection[int], asked: Sequence[Question]) -> list[int]:
        """
        Delete and store questions in one transaction; return the ids of the new questions.

        Args:
            withdrawn: ids of questions to delete; closed questions and questions about frames are
                not deleted.
            asked: the new questions; their kinds are in ``FLEET_KINDS``.
        """
        if not withdrawn and not asked:
            return []
        with self._samples.changing('ask about samples of the fleet in') as changes:
            open_ids = {each for (each,) in changes.rows(queries.OF_FLEET, int)}
            changes.delete_questions(open_ids.intersection(withdrawn))
            return [insert_question(changes, each, self._extractor, self._kind) for each in asked]


def claimants_text(claimants: Mapping[str, Iterable[str]]) -> str:
    """
    Return the text for the field ``camera`` of a question about a sample of the fleet.

    The text names the robots that claim each label, for the first :data:`MAX_GIVEN` labels; a long
    list of robots is truncated.  For the labels ``mug`` and ``cup``, ``robot1, robot4 / robot2``
    means that robot1 and robot4 claim that the sample is a mug, and robot2 that it is a cup.

    Args:
        claimants: names of the robots that claim each label, by label, in the order of the
            question's labels.
    """
    groups = [BETWEEN_ROBOTS.join(sorted(names)) for names in list(claimants.values())[:MAX_GIVEN]]
    shown = [
        each if len(each) <= _MAX_GROUP_LENGTH else f'{each[: _MAX_GROUP_LENGTH - 3]}...'
        for each in groups
    ]
    return one_line(BETWEEN_LABELS.join(shown))
