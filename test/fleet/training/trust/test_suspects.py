# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which labels of other robots are suspects."""

from __future__ import annotations

from edgetpu_retrain.fleet.training.trust.suspects import suspected
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
from support.fleet_lessons import Lessons, pool_of, views

OPTIONS = TrainingOptions()


def suspects(lessons: Lessons, me: int = 0) -> set[tuple[int, str]]:
    """Return robot and label of the suspects."""
    with lessons.ledger(me, sorted(lessons.packs)) as ledger:
        pool = pool_of(ledger)
    found = suspected(pool, OPTIONS)
    order = {key: number for number, key in enumerate(lessons.keys())}
    return {
        (order[pool.keys[pool.origins[row]]], pool.names[pool.labels[row]])
        for row in np.flatnonzero(found)
    }


def honest(robots: int, classes: int) -> Lessons:
    lessons = Lessons()
    for robot in range(robots):
        for thing in range(classes):
            for visit in range(2):
                rows = views(thing, 6, place=robot, seed=visit)
                lessons.teach(robot, f'thing {thing}', rows, f'visit {visit}')
    return lessons


def test_honest_robots_are_no_suspects() -> None:
    assert suspects(honest(6, 4)) == set()


def test_classes_that_only_one_robot_knows_are_no_suspects() -> None:
    lessons = honest(3, 1)
    for robot in range(3):
        for thing in range(2):
            rows = views(3 + 2 * robot + thing, 12, place=robot, seed=0)
            lessons.teach(robot, f'only {robot} {thing}', rows, 'today')
    assert suspects(lessons) == set()


def test_all_labels_of_a_robot_that_swaps_half_of_them_are_suspects() -> None:
    lessons = honest(6, 4)
    for thing in range(2):
        rows = views(thing, 12, place=7, seed=0)
        lessons.teach(7, f'thing {1 - thing}', rows, 'today')
    lessons.teach(7, 'thing 3', views(3, 24, place=7, seed=0), 'today')
    assert suspects(lessons) == {(7, 'thing 0'), (7, 'thing 1'), (7, 'thing 3')}


def test_a_new_name_for_what_others_know_is_a_suspect() -> None:
    lessons = honest(6, 4)
    lessons.teach(7, 'thing', views(2, 12, place=7, seed=0), 'today')
    assert suspects(lessons) == {(7, 'thing')}


def test_many_small_new_names_for_what_others_know_are_suspects_together() -> None:
    lessons = honest(6, 4)
    for number in range(8):
        rows = views(number % 4, 2, place=7, seed=number)
        lessons.teach(7, f'small {number}', rows, 'today')
    found = suspects(lessons)
    assert len(found) >= 6
    assert {robot for robot, _ in found} == {7}


def test_a_class_takes_no_views_of_a_robot_that_teaches_wrong_labels() -> None:
    lessons = honest(5, 4)
    lessons.teach(5, 'thing 4', views(4, 12, place=5, seed=0), 'today')
    for thing in range(5):
        rows = views(thing, 24, place=7, seed=0)
        lessons.teach(7, f'thing {(thing + 1) % 4}', rows, 'today')
    assert {robot for robot, _ in suspects(lessons)} == {7}


def test_the_own_labels_are_no_suspects() -> None:
    lessons = honest(6, 4)
    for thing in range(4):
        lessons.teach(7, f'thing {thing ^ 1}', views(thing, 12, place=7, seed=0), 'today')
    assert 7 not in {robot for robot, _ in suspects(lessons, me=7)}
