# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot that takes released heads takes the newest one, once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.releases.released_head import make_release
from edgetpu_retrain.fleet.robot.learner import Learned, ReleaseLearner
from edgetpu_retrain.fleet.training.training_round import RoundOptions
from edgetpu_retrain.store.models.model_store import ModelStore
from support.fleet_lessons import EXTRACTOR, Lessons, SPACE, views
from support.fleet_members import member, NOW_MS, robot_key, roster

STATION = robot_key(0)


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
        words = "model version 1 is a head that 'robot 0' has released, whose releases do not"
        for each in (learner, start()):
            assert each.problem_of(1).startswith(words)
            # The user has chosen another version, or trained one.
            assert each.problem_of(2) == ''
        other = release_of('bolt', 'mug', publisher=robot_key(2), issued_ms=NOW_MS + 1)
        assert learner.accept_release(other)
        assert asyncio.run(learner.learn()).version == 2
        assert learner.problem_of(2) == start().problem_of(2) == ''
