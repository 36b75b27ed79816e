# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A released head goes through the gate of a robot."""

from __future__ import annotations

from pathlib import Path
import shutil

from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.releases.release import decode, Release
from edgetpu_retrain.fleet.releases.released_head import make_release, take_release
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.training.training_round import RoundOptions, RoundResult
from edgetpu_retrain.store.models.model_store import ModelStore
from support.fleet_lessons import EXTRACTOR, Lessons, SPACE, views
from support.fleet_members import FLEET, member, NOW_MS, robot_key, roster

STATION, ROBOT = robot_key(0), robot_key(1)
ROSTER = roster_message.read(roster([member(0, 'teach', 'release'), member(1)]), FLEET.public)


def taught(robot: int, *labels: str) -> Lessons:
    lessons = Lessons()
    for thing, label in enumerate(labels):
        for visit in range(3):
            rows = views(thing, 8, place=robot, seed=visit)
            lessons.teach(robot, label, rows, f'visit {visit}')
    return lessons


def released(ledger: Ledger) -> Release:
    message = make_release(
        EXTRACTOR, SPACE.id, ledger.evidence(own=True), ledger.own_claims(), ledger.frontier(),
        STATION, share=1.0, issued_ms=NOW_MS, options=RoundOptions(),
    )  # fmt: skip
    release = decode(message, ROSTER, SPACE)
    assert isinstance(release, Release)
    return release


def take(folder: Path, release: Release, ledger: Ledger) -> RoundResult:
    evidence, claims = ledger.evidence(own=True), ledger.own_claims()
    return take_release(folder, EXTRACTOR, release, evidence, claims, ledger.me, RoundOptions())


def test_a_good_head_serves_once(tmp_path: Path) -> None:
    with taught(0, 'bolt', 'cup', 'mug').ledger(0, [0]) as station:
        release = released(station)
        assert release.frontier == station.frontier()
    with taught(1, 'bolt', 'cup').ledger(1, [1]) as robot:
        result = take(tmp_path, release, robot)
        assert result.outcome == 'served'
        assert take(tmp_path, release, robot).outcome == 'unchanged'
    version = ModelStore(tmp_path / 'models').load(result.version)
    assert version.record.labels == ('bolt', 'cup', 'mug')
    assert dict(version.record.sample_counts) == {'bolt': 24, 'cup': 24, 'mug': 24}


def test_a_removed_head_is_stored_again(tmp_path: Path) -> None:
    with taught(0, 'bolt', 'cup').ledger(0, [0]) as station:
        release = released(station)
    with taught(1).ledger(1, [1]) as robot:
        assert take(tmp_path, release, robot).outcome == 'served'
        shutil.rmtree(tmp_path / 'models')
        assert take(tmp_path, release, robot).version == 1


def test_a_head_without_an_own_class_is_rejected_with_the_reason(tmp_path: Path) -> None:
    with taught(0, 'bolt', 'mug').ledger(0, [0]) as station:
        release = released(station)
    with taught(1, 'bolt', 'cup').ledger(1, [1]) as robot:
        result = take(tmp_path, release, robot)
    assert (result.outcome, result.version) == ('rejected', 0)
    assert "'cup' would vanish" in result.reason
    assert ModelStore(tmp_path / 'models').latest() is None


def test_a_robot_without_samples_takes_any(tmp_path: Path) -> None:
    with taught(0, 'bolt', 'mug').ledger(0, [0]) as station:
        release = released(station)
    with Lessons().ledger(1, []) as robot:
        assert take(tmp_path, release, robot).outcome == 'served'
