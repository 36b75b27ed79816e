# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which robots teach wrong labels."""

from __future__ import annotations

from edgetpu_retrain.fleet.training.pool import Pool
from edgetpu_retrain.fleet.training.trust import wrong_teachers as wrong_teachers_module
from edgetpu_retrain.fleet.training.trust.least_squares import projected
from edgetpu_retrain.fleet.training.trust.wrong_teachers import wrong_teachers
from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import pytest
from support.fleet_lessons import Lessons, pool_of, views

ROBOTS, THINGS, VIEWS = 8, 5, 12
WRONG = 7


def found(lessons: Lessons, me: int = 0) -> set[int]:
    """Return the numbers of the robots that are found."""
    with lessons.ledger(me, sorted(lessons.packs)) as ledger:
        pool = pool_of(ledger)
    order = {key: number for number, key in enumerate(lessons.keys())}
    samples = wrong_teachers(pool, np.arange(len(pool)))
    return {order[pool.keys[each]] for each in pool.origins[samples]}


def label_of(kind: str, thing: int, rng: np.random.Generator) -> int:
    """Return what the wrong robot calls a thing."""
    if kind == 'half wrong':
        return thing if rng.integers(2) else (thing + int(rng.integers(1, THINGS))) % THINGS
    return {'right': thing, 'swapped': (thing + 1) % THINGS, 'new name': THINGS}[kind]


def fleet(kind: str, views_of_wrong: int = VIEWS, first_wrong: int = WRONG) -> Lessons:
    """Let all robots teach the same things, the last ones with labels of some kind."""
    lessons, rng = Lessons(), np.random.default_rng(0)
    for robot in range(ROBOTS):
        is_wrong = robot >= first_wrong
        for thing in range(THINGS):
            count = views_of_wrong if is_wrong else VIEWS
            rows = views(thing, count, place=robot, seed=0)
            labels = [label_of(kind if is_wrong else 'right', thing, rng) for _ in rows]
            for label in sorted(set(labels)):
                lessons.teach(robot, f'thing {label}', rows[np.equal(labels, label)], 'today')
    return lessons


@pytest.mark.parametrize('kind', ['half wrong', 'swapped', 'new name'])
def test_a_robot_with_wrong_labels_is_found_and_no_other(kind: str) -> None:
    assert found(fleet(kind, 3 * VIEWS)) == {WRONG}


@pytest.mark.parametrize('kind', ['half wrong', 'swapped'])
def test_very_many_wrong_samples_do_not_make_others_look_wrong(kind: str) -> None:
    assert found(fleet(kind, 20 * VIEWS)) == {WRONG}


def test_wrong_robots_with_most_of_the_samples_do_not_decide_who_harms() -> None:
    assert found(fleet('new name', 8 * VIEWS, first_wrong=WRONG - 1)) == {WRONG - 1, WRONG}


def test_the_samples_are_projected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    selections = []

    def project(pool: Pool, rows: IntArray) -> FloatArray:
        selections.append(rows)
        return projected(pool, rows)

    monkeypatch.setattr(wrong_teachers_module, 'projected', project)
    assert found(fleet('new name', first_wrong=WRONG - 1)) == {WRONG - 1, WRONG}
    assert len(selections) == 1


@pytest.mark.filterwarnings('error')
def test_without_samples_no_robot_is_found() -> None:
    lessons = fleet('right')
    with lessons.ledger(0, sorted(lessons.packs)) as ledger:
        pool = pool_of(ledger)
    assert not wrong_teachers(pool, np.arange(0)).any()


def test_honest_robots_are_not_found() -> None:
    assert found(fleet('right')) == set()


def test_a_few_mistakes_of_every_robot_are_no_reason() -> None:
    lessons, rng = Lessons(), np.random.default_rng(0)
    for robot in range(ROBOTS):
        for thing in range(THINGS):
            for number, row in enumerate(views(thing, 20, place=robot, seed=0)):
                label = rng.integers(THINGS) if number == robot else thing
                lessons.teach(robot, f'thing {label}', row[np.newaxis], 'today')
    assert found(lessons) == set()


def test_a_robot_in_a_place_where_all_things_look_alike_is_not_found() -> None:
    lessons = fleet('right')
    for thing in range(THINGS):
        rows = views(thing, 2 * VIEWS, place=9, seed=0).astype(np.int64)
        rows[:, 0] += 60
        lessons.teach(9, f'thing {thing}', rows.clip(0, 255).astype(np.uint8), 'today')
    assert found(lessons) == set()


def test_a_robot_that_teaches_few_samples_of_a_new_class_is_not_found() -> None:
    lessons = fleet('right')
    lessons.teach(9, 'new', views(THINGS, 6, place=9, seed=0), 'today')
    assert found(lessons) == set()


def test_the_own_labels_are_never_found() -> None:
    assert WRONG not in found(fleet('half wrong'), me=WRONG)


def test_one_other_robot_cannot_be_compared() -> None:
    lessons = Lessons()
    for thing in range(2):
        rows = views(thing, VIEWS, place=1, seed=0)
        lessons.teach(1, f'thing {thing}', rows, 'today')
    assert found(lessons) == set()
