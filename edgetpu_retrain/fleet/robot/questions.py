# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FleetQuestioner: asks a teacher about unsettled samples of a fleet."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
import time
from typing import NamedTuple

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.ledger.contested import Contested
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.robot.robot_tables import Asked, RobotTables
from edgetpu_retrain.fleet.robot.thumbnail import is_thumbnail
from edgetpu_retrain.fleet.roster.roster import Roster
from edgetpu_retrain.store.questions.fleet_questions import (
    claimants_text,
    FleetQuestions,
    MAX_FLEET_QUESTIONS,
)
from edgetpu_retrain.store.questions.question import Given, Question, QuestionKind
from edgetpu_retrain.store.samples.sample_store import SampleStore


class _Case(NamedTuple):
    kind: QuestionKind
    about: Contested


class Unsettled(NamedTuple):
    """
    The numbers of questions and unsettled samples.

    A sample counts only if this robot may claim one of its labels, so all numbers are 0 on a robot
    that may not teach.
    """

    questions: int = 0
    """Number of open questions."""
    proposals: int = 0
    """Number of samples that wait for a teacher, at most 1,000."""
    disagreements: int = 0
    """Number of samples about which teachers disagree, at most 1,000."""


class FleetQuestioner:
    """
    Keeps the questions about the fleet's samples in step with the claims about these samples.

    A sample is asked about once for each state of the claims about it.  So a dismissed question is
    not asked again about the same claims, even if they were different in between.  A question that
    was answered is asked again if the removal of its answer restores the claims; one that was
    withdrawn, if its claims return; one that a replaced samples.db does not have, in any case.

    Only a robot whose key may teach gets questions, and only about samples for which it may claim
    at least one of the labels.

    Only one thread at a time may use an instance.

    Args:
        samples: the robot's samples.db, which the caller closes.
        ledger: the claims of the fleet.
        tables: stores the questions that were asked.
        space: the space of the samples.
        me: public key of the robot.
    """

    def __init__(
        self,
        samples: SampleStore,
        ledger: Ledger,
        tables: RobotTables,
        space: EmbeddingSpace,
        me: str,
    ) -> None:
        self._questions = FleetQuestions(samples, space.extractor, space.kind)
        self._ledger = ledger
        self._tables = tables
        self._space = space
        self._me = me

    def update(self) -> Unsettled:
        """
        Ask new questions, and withdraw questions that are settled or whose claims have changed.

        Raises:
            StoreError: if samples.db or fleet.db cannot be read or written; the next call does
                what this one did not.
        """
        roster = self._ledger.roster
        cases = {} if roster is None else {case.about.sample: case for case in self._cases(roster)}
        # Questions with ids that samples.db has never used were lost when it was replaced.
        last = self._questions.last_id()
        asked = {
            (each.sample, each.digest): each.question
            for each in self._tables.asked()
            if each.question <= last and not each.ask_again
        }
        current = {(sample, case.about.digest): case for sample, case in cases.items()}
        unchanged = {asked[each] for each in current.keys() & asked.keys()}
        # An unchanged question that was answered waits until the answer is sealed.
        over = {
            number
            for number, is_sample in self._questions.answers().items()
            if not (is_sample and number in unchanged)
        }.intersection(asked.values())
        is_open = self._questions.open_ids()
        kept, withdrawn = is_open & unchanged, is_open - unchanged
        fresh = (
            (case, question)
            for claims, case in current.items()
            if claims not in asked or asked[claims] in over
            if (question := self._question(case, roster))
        )
        new = list(islice(fresh, MAX_FLEET_QUESTIONS - len(kept)))
        # If the process ends between these calls, the next update withdraws the open questions
        # that the tables do not have, and asks them again.
        self._tables.forget_asked(withdrawn)
        self._tables.ask_again(over)
        ids = self._questions.change(withdrawn, [question for _, question in new])
        self._tables.remember_asked(
            Asked(case.about.sample, case.about.digest, number)
            for (case, _), number in zip(new, ids, strict=True)
        )
        kinds = [case.kind for case in cases.values()]
        return Unsettled(
            len(kept) + len(new), kinds.count('proposal'), kinds.count('disagreement')
        )

    def _cases(self, roster: Roster) -> list[_Case]:
        if roster.role_of(self._me) != 'teach':
            return []
        now = (time.time_ns() // 1_000_000) << 16
        cases = [_Case('disagreement', each) for each in self._ledger.disagreements()]
        cases += [_Case('proposal', each) for each in self._ledger.proposals()]
        return [
            case
            for case in cases
            if any(roster.allows(self._me, label, now) for label in case.about.claims.values())
        ]

    def _question(self, case: _Case, roster: Roster | None) -> Question | None:
        """Return the question to ask; None if the ledger does not have the sample's bytes."""
        payload = self._ledger.payload(case.about.sample)
        if payload is None:
            return None
        claimants = defaultdict(list)
        for key, label in case.about.claims.items():
            member = roster.member(key) if roster is not None else None
            claimants[label].append(member.name if member is not None else key[:8])
        labels = sorted(claimants, key=lambda label: (-len(claimants[label]), label))
        total = len(case.about.claims)
        return Question(
            case.kind,
            claimants_text({label: claimants[label] for label in labels}),
            0,
            tuple(Given(label, len(claimants[label]) / total) for label in labels),
            0,
            self._space.kind.from_disk(payload.embedding),
            payload.jpeg if payload.jpeg and is_thumbnail(payload.jpeg) else None,
        )
