# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The samples of a fleet, in one order on all robots."""

from __future__ import annotations

import numpy as np
import pytest
from support.fleet_lessons import Lessons, pool_of, views


@pytest.fixture
def lessons() -> Lessons:
    taught = Lessons()
    for robot in (2, 0, 1):
        for thing, label in enumerate(('cup', 'bolt')):
            rows = views(thing, 4, place=robot, seed=0)
            taught.teach(robot, label, rows, f'visit {thing}')
    return taught


def test_all_robots_have_the_same_samples_in_the_same_order(lessons: Lessons) -> None:
    pools = []
    for me, order in ((0, [0, 1, 2]), (1, [2, 1, 0]), (5, [1, 0, 2])):
        with lessons.ledger(me, order) as ledger:
            pools.append(pool_of(ledger))
    every = np.arange(24)
    assert len({pool.digest(every, claims=False) for pool in pools}) == 1
    assert len({pool.digest(every, claims=True) for pool in pools}) == 3
    assert pools[0].names == ('bolt', 'cup')
    assert [int(pool.is_own.sum()) for pool in pools] == [8, 8, 0]


def test_the_samples_of_a_recording_are_in_the_order_in_which_they_were_taken(
    lessons: Lessons,
) -> None:
    with lessons.ledger(0, [2, 1, 0]) as ledger:
        pool = pool_of(ledger)
    for robot in range(3):
        for thing, label in enumerate(('cup', 'bolt')):
            taken = views(thing, 4, place=robot, seed=0)
            places = [int(np.flatnonzero((pool.raw == row).all(axis=1))[0]) for row in taken]
            assert places == list(range(places[0], places[0] + 4))
            assert {pool.names[each] for each in pool.labels[places]} == {label}


def test_what_another_robot_relabels_is_own_no_longer_but_stays_in_the_exam(
    lessons: Lessons,
) -> None:
    lessons.relabel(1, 'mug', views(0, 4, place=0, seed=0)[:1])
    with lessons.ledger(0, [0, 1, 2]) as ledger:
        pool = pool_of(ledger)
    (row,) = np.flatnonzero(pool.labels == pool.names.index('mug'))
    assert not pool.is_own[row]
    assert pool.taken_here[row]
    assert pool.names[pool.own_labels[row]] == 'cup'
    assert pool.with_own_labels(np.array([row])).labels[row] == pool.names.index('cup')
