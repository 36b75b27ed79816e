# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot that takes released heads takes the newest one, once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edgetpu_retrain.fleet.releases.released_head import make_release
from edgetpu_retrain.fleet.robot.learner import Learned, ReleaseLearner
from edgetpu_retrain.fleet.training.training_round import RoundOptions
from edgetpu_retrain.store.models.model_store import ModelStore
from support.fleet_lessons import EXTRACTOR, Lessons, SPACE, views
from support.fleet_members import member, NOW_MS, robot_key, roster

STATION = robot_key(0)


def release_of(*labels: str) -> bytes:
    lessons = Lessons()
    for thing, label in enumerate(labels):
        for visit in range(3):
            lessons.teach(0, label, views(thing, 8, place=0, seed=visit), f'visit {visit}')
    with lessons.ledger(0, [0]) as station:
        return make_release(
            EXTRACTOR, SPACE.id, station.evidence(own=True), station.own_claims(),
            station.frontier(), STATION, share=1.0, issued_ms=NOW_MS, options=RoundOptions(),
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
