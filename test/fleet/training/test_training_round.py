# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""When a robot trains on its fleet's samples, and which version comes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import shutil

from edgetpu_retrain.fleet.training.last_round import FILE, LastRound
from edgetpu_retrain.fleet.training.training_round import RoundOptions
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore
import pytest
from support.fleet_lessons import Lessons, train, views
from support.fleet_members import member, roster

THINGS = ('bolt', 'cup', 'mug')


def teach(lessons: Lessons, robot: int, *things: int, visits: int = 3, shift: int = 0) -> None:
    for thing in things:
        for visit in range(visits):
            rows = views(thing + shift, 8, place=robot, seed=visit)
            lessons.teach(robot, THINGS[thing], rows, f'visit {visit}')


@pytest.fixture
def lessons() -> Lessons:
    taught = Lessons()
    teach(taught, 0, 0, 1)
    teach(taught, 1, 1, 2)
    return taught


def models(folder: Path) -> ModelStore:
    return ModelStore(folder / 'models')


def test_the_same_evidence_is_trained_once(tmp_path: Path, lessons: Lessons) -> None:
    with lessons.ledger(0, [0, 1]) as ledger:
        first = train(tmp_path, ledger)
        assert (first.outcome, first.version) == ('served', 1)
        assert first.figures['samples'] == 96
        again = train(tmp_path, ledger)
        # Nothing was judged or examined either.
        assert (again.outcome, again.figures) == ('unchanged', {})
        assert LastRound.read(tmp_path).frontier == ledger.frontier()
    teach(lessons, 2, 0)
    with lessons.ledger(0, [0, 1, 2]) as ledger:
        assert train(tmp_path, ledger).version == 2
    assert models(tmp_path).load(1).record.labels == THINGS


def test_without_others_the_robot_is_left_alone(tmp_path: Path, lessons: Lessons) -> None:
    with lessons.ledger(0, [0]) as ledger:
        assert train(tmp_path, ledger).outcome == 'unchanged'
    assert models(tmp_path).latest() is None


def test_one_class_is_too_few_which_is_said_once(tmp_path: Path) -> None:
    lessons = Lessons()
    teach(lessons, 1, 1)
    with lessons.ledger(0, [1]) as ledger:
        result = train(tmp_path, ledger)
        again = train(tmp_path, ledger)
    assert (result.outcome, result.version) == ('rejected', 0)
    assert "all trusted samples are of the class 'cup': teach another" in result.reason
    # Nothing was judged or examined again.
    assert (again.outcome, again.reason) == ('unchanged', '')
    teach(lessons, 2, 0)
    with lessons.ledger(0, [1, 2]) as ledger:
        assert train(tmp_path, ledger).version == 1


@pytest.mark.parametrize(
    ('revoked', 'words'),
    [({2}, "all trusted samples are of the class 'cup'"), ({1, 2}, 'there are no trusted')],
)
def test_if_too_few_classes_still_count_the_old_head_stays_which_is_said_once(
    tmp_path: Path, revoked: set[int], words: str
) -> None:
    lessons = Lessons()
    teach(lessons, 1, 1)
    teach(lessons, 2, 0)
    with lessons.ledger(0, [1, 2]) as ledger:
        assert train(tmp_path, ledger).version == 1
        permitted = [member(each, keep={} if each in revoked else None) for each in range(12)]
        ledger.set_roster(roster(permitted, version=2))
        result = train(tmp_path, ledger)
        assert result.outcome == 'rejected'
        assert result.reason.startswith(words)
        assert 'the old head stays, although' in result.reason
        assert train(tmp_path, ledger).outcome == 'unchanged'
    assert models(tmp_path).versions() == (1,)


def test_a_choice_of_an_older_version_stays_until_the_evidence_changes(
    tmp_path: Path, lessons: Lessons
) -> None:
    with lessons.ledger(0, [0, 1]) as ledger:
        train(tmp_path, ledger)
    teach(lessons, 2, 0)
    with lessons.ledger(0, [0, 1, 2]) as ledger:
        train(tmp_path, ledger)
        ChoiceFile(models(tmp_path)).choose(1)
        assert train(tmp_path, ledger).outcome == 'unchanged'
    teach(lessons, 3, 0)
    with lessons.ledger(0, [0, 1, 2, 3]) as ledger:
        assert train(tmp_path, ledger).version == 3


def test_a_version_that_was_trained_here_is_followed_by_one_of_the_fleet(
    tmp_path: Path, lessons: Lessons
) -> None:
    with lessons.ledger(0, [0, 1]) as ledger:
        train(tmp_path, ledger)
        earlier, model = models(tmp_path).read(1)
        models(tmp_path).save(model, replace(earlier.record, parent_version=1))
        result = train(tmp_path, ledger)
        assert (result.outcome, result.version) == ('served', 3)
        assert train(tmp_path, ledger).outcome == 'unchanged'
    assert models(tmp_path).read(3)[1] == model


def test_removed_models_are_trained_again(tmp_path: Path, lessons: Lessons) -> None:
    with lessons.ledger(0, [0, 1]) as ledger:
        assert train(tmp_path, ledger).outcome == 'served'
        shutil.rmtree(tmp_path / 'models')
        assert train(tmp_path, ledger).outcome == 'served'
        assert train(tmp_path, ledger).outcome == 'unchanged'
    assert models(tmp_path).versions() == (1,)


def test_old_versions_are_deleted_but_not_the_chosen_one(tmp_path: Path, lessons: Lessons) -> None:
    options = RoundOptions(keep_models=2)
    for robot in range(1, 5):
        teach(lessons, robot, 0)
        with lessons.ledger(0, range(robot + 1)) as ledger:
            train(tmp_path, ledger, options)
        if robot == 1:
            ChoiceFile(models(tmp_path)).choose(1)
    assert models(tmp_path).versions() == (1, 3, 4)


def test_a_damaged_record_of_the_last_round_counts_as_none(
    tmp_path: Path, lessons: Lessons
) -> None:
    with lessons.ledger(0, [0, 1]) as ledger:
        train(tmp_path, ledger)
        (tmp_path / FILE).write_bytes(b'PK not a zip')
        assert LastRound.read(tmp_path).version == 0
        assert train(tmp_path, ledger).outcome == 'served'


def test_a_flipped_bit_in_the_record_of_the_last_round_does_no_harm(tmp_path: Path) -> None:
    LastRound('evidence', 1, 1, names=('bolt',)).write(tmp_path)
    intact = (tmp_path / FILE).read_bytes()
    for bit in range(8 * len(intact)):
        damaged = bytearray(intact)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / FILE).write_bytes(damaged)
        assert LastRound.read(tmp_path).version in (0, 1)


def test_what_was_revoked_does_not_serve_any_more(tmp_path: Path) -> None:
    lessons = Lessons()
    teach(lessons, 0, 0, 1)
    teach(lessons, 1, 2)
    with lessons.ledger(0, [0, 1]) as ledger:
        assert train(tmp_path, ledger).version == 1
        permitted = [member(each, keep={} if each == 1 else None) for each in range(12)]
        ledger.set_roster(roster(permitted, version=2))
        result = train(tmp_path, ledger)
        assert (result.outcome, result.version) == ('served', 2)
    assert models(tmp_path).load(2).record.labels == ('bolt', 'cup')
