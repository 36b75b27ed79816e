# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a robot learns from its fleet, and what it reports if it learns nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
import re

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.releases.released_head import make_release
from edgetpu_retrain.fleet.robot.learner import EvidenceLearner, Learned, ReleaseLearner
from edgetpu_retrain.fleet.training.training_round import RoundOptions
from edgetpu_retrain.store.models.model_store import ModelStore
from support.fleet_lessons import EXTRACTOR, Lessons, order_for, SPACE, views
from support.fleet_members import member, NOW_MS, robot_key, roster

STATION = robot_key(0)
REJECTED = r'a new head was rejected at \d{4}-\d\d-\d\d \d\d:\d\d UTC: '
PUBLISHING = roster([member(0, 'teach', 'release'), *map(member, range(1, 9))], version=2)


def permitted(version: int, revoked: Iterable[int] = ()) -> bytes:
    """Return a roster in which the packs of some robots do not count."""
    kept = [member(each, keep={} if each in revoked else None) for each in range(9)]
    return roster(kept, version=version)


def teach(lessons: Lessons, robot: int, *labels: str) -> Lessons:
    for thing, label in enumerate(('bolt', 'cup', 'mug')):
        if label in labels:
            for visit in range(3):
                rows = views(thing, 8, place=robot, seed=visit)
                lessons.teach(robot, label, rows, f'visit {visit}')
    return lessons


def release_learner(folder: Path, ledger: Ledger, release: bytes) -> ReleaseLearner:
    """Return a learner that has received a release."""
    learner = ReleaseLearner(folder, EXTRACTOR, ledger, RoundOptions())
    ledger.set_roster(PUBLISHING)
    assert learner.accept_release is not None
    assert learner.accept_release(release)
    return learner


def release_of(*labels: str, publisher: Key = STATION, issued_ms: int = NOW_MS) -> bytes:
    lessons = Lessons()
    for thing, label in enumerate(labels):
        for visit in range(3):
            lessons.teach(0, label, views(thing, 8, place=0, seed=visit), f'visit {visit}')
    with lessons.ledger(0, [0]) as station:
        return make_release(
            EXTRACTOR, SPACE.id, station.evidence(own=True), station.own_claims(),
            station.frontier(), publisher, share=1.0, issued_ms=issued_ms, options=RoundOptions(),
        )  # fmt: skip


def test_the_newest_release_is_taken_once(tmp_path: Path) -> None:
    message = release_of('bolt', 'mug')
    with Lessons().ledger(1, []) as ledger:
        learner = ReleaseLearner(tmp_path, EXTRACTOR, ledger, RoundOptions())
        assert learner.accept_release is not None
        assert asyncio.run(learner.learn()) == Learned('')
        # Its publisher may not release.
        assert not learner.accept_release(message)
        ledger.set_roster(roster([member(0, 'teach', 'release'), member(1)], version=2))
        assert not learner.accept_release(message[:-1])
        assert learner.accept_release(message)
        learned = asyncio.run(learner.learn())
        assert learned.version == 1
        assert 'model version 1 is a released head' in learned.words
        assert asyncio.run(learner.learn()) == Learned('')
    assert ModelStore(tmp_path / 'models').load(1).record.labels == ('bolt', 'mug')


def test_a_head_whose_publisher_may_not_release_any_more_is_a_problem_until_the_next(
    tmp_path: Path,
) -> None:
    with Lessons().ledger(1, []) as ledger:

        def set_publishers(version: int, *numbers: int) -> None:
            roles = [('read', 'release') if each in numbers else ('read',) for each in range(3)]
            members = [member(each, *role) for each, role in enumerate(roles)]
            ledger.set_roster(roster(members, version=version))

        def start() -> ReleaseLearner:
            return ReleaseLearner(tmp_path, EXTRACTOR, ledger, RoundOptions())

        learner = start()
        assert learner.accept_release is not None
        set_publishers(2, 0)
        assert learner.accept_release(release_of('bolt', 'mug'))
        assert asyncio.run(learner.learn()).version == 1
        assert learner.problem_of(1) == ''
        set_publishers(3, 2)
        assert asyncio.run(learner.learn()) == Learned('')
        words = "model version 1 is a released head of 'robot 0', whose releases do not"
        for each in (learner, start()):
            assert each.problem_of(1).startswith(words)
            # The user has chosen another version, or trained one.
            assert each.problem_of(2) == ''
        other = release_of('bolt', 'mug', publisher=robot_key(2), issued_ms=NOW_MS + 1)
        assert learner.accept_release(other)
        assert asyncio.run(learner.learn()).version == 2
        assert learner.problem_of(2) == start().problem_of(2) == ''


def test_a_rejection_of_what_was_trained_is_known_until_a_head_is_accepted(
    tmp_path: Path,
) -> None:
    lessons, order = teach(Lessons(), 1, 'cup'), order_for(tmp_path)
    with lessons.ledger(0, [1], path=order.ledger):
        pass
    learned = asyncio.run(EvidenceLearner(order).learn())
    assert re.match(f"{REJECTED}all trusted samples are of the class 'cup'", learned.words)
    restarted = EvidenceLearner(order)
    assert restarted.rejection == learned.words
    assert asyncio.run(restarted.learn()) == Learned('')
    assert restarted.rejection == learned.words
    with teach(lessons, 2, 'bolt').ledger(0, [1, 2], path=order.ledger) as ledger:
        accepted = asyncio.run(restarted.learn())
        assert accepted.version == 1
        assert restarted.rejection == EvidenceLearner(order).rejection == ''
        ledger.set_roster(permitted(2, [2]))
        assert re.match(REJECTED, asyncio.run(restarted.learn()).words)
        # The samples that were accepted before are accepted again, so nothing is trained.
        ledger.set_roster(permitted(3))
        assert asyncio.run(restarted.learn()) == accepted
        assert restarted.rejection == EvidenceLearner(order).rejection == ''
    assert ModelStore(tmp_path / 'models').versions() == (1,)


def test_a_rejection_of_a_release_is_known_until_one_is_accepted(tmp_path: Path) -> None:
    first, second = release_of('bolt', 'mug'), release_of('bolt', 'cup', issued_ms=NOW_MS + 1)
    with teach(Lessons(), 1, 'bolt', 'cup').ledger(1, [1]) as ledger:
        learner = release_learner(tmp_path, ledger, first)
        learned = asyncio.run(learner.learn())
        assert re.match(f"{REJECTED}the class 'cup' would vanish", learned.words)
        assert learner.problem_of(0) == ''
        restarted = release_learner(tmp_path, ledger, first)
        assert restarted.rejection == learned.words
        assert asyncio.run(restarted.learn()) == Learned('')
        again = release_learner(tmp_path, ledger, second)
        assert asyncio.run(again.learn()).version == 1
        assert again.rejection == release_learner(tmp_path, ledger, second).rejection == ''


def test_a_released_head_that_evidence_does_not_replace_is_a_problem(tmp_path: Path) -> None:
    lessons, order = teach(Lessons(), 1, 'cup'), order_for(tmp_path)
    with lessons.ledger(0, [1], path=order.ledger, permissions=PUBLISHING) as ledger:
        released = release_learner(tmp_path, ledger, release_of('bolt', 'mug'))
        assert asyncio.run(released.learn()).version == 1
    for _ in range(2):
        # The second process does not train again.
        learner = EvidenceLearner(order)
        assert learner.problem_of(1) == ''
        asyncio.run(learner.learn())
        assert learner.problem_of(1) == (
            "released model version 1 still serves: the head trained on the fleet's samples was "
            "rejected (all trusted samples are of the class 'cup': teach another class as well); "
            'teach more samples, correct labels, or set learn_from:=releases'
        )
        # The user has chosen another version, or trained one.
        assert learner.problem_of(2) == ''
    with teach(lessons, 2, 'bolt').ledger(0, [1, 2], path=order.ledger, permissions=PUBLISHING):
        pass
    assert asyncio.run(learner.learn()).version == 2
    assert learner.problem_of(1) == learner.problem_of(2) == ''


def test_a_head_of_evidence_that_a_release_does_not_replace_is_a_problem(tmp_path: Path) -> None:
    lessons, order = Lessons(), order_for(tmp_path)
    teach(lessons, 0, 'bolt', 'cup')
    teach(lessons, 1, 'bolt', 'cup')
    with lessons.ledger(0, [0, 1], path=order.ledger, permissions=PUBLISHING) as ledger:
        assert asyncio.run(EvidenceLearner(order).learn()).version == 1
        release = release_of('bolt', 'mug')
        for _ in range(2):
            learner = release_learner(tmp_path, ledger, release)
            assert learner.problem_of(1) == ''
            asyncio.run(learner.learn())
            words = "model version 1, trained on the fleet's samples, still serves: the released"
            assert learner.problem_of(1).startswith(f"{words} head was rejected (the class 'cup'")
            assert learner.problem_of(2) == ''
