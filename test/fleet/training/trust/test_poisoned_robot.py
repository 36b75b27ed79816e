# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One of ten robots teaches wrong labels: what others learn, and what stays when it is revoked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.fleet_lessons import accuracy, Lessons, newest_model, train, views
from support.fleet_members import member, roster

THINGS = ('bolt', 'cup', 'hose', 'mug')
ROBOTS, POISONED = range(10), 9
VISITS, VIEWS = 2, 8
EXAM = {
    label: np.concatenate([views(thing, 12, place=place, seed=99) for place in ROBOTS])
    for thing, label in enumerate(THINGS)
}


def wrong_label(kind: str, thing: int, rng: np.random.Generator) -> str:
    if kind == 'random':
        return THINGS[rng.integers(len(THINGS))]
    if kind == 'half random' and rng.integers(2):
        return THINGS[thing]
    return 'thing' if kind == 'new class' else THINGS[thing ^ 1]


def taught(kind: str) -> Lessons:
    """Return what ten robots have taught; the last one teaches wrong labels of this kind."""
    lessons, rng = Lessons(), np.random.default_rng(0)
    for robot in ROBOTS:
        visits = 30 if robot == POISONED and kind == 'more than all others' else VISITS
        for visit in range(visits):
            for thing, label in enumerate(THINGS):
                rows = views(thing, VIEWS, place=robot, seed=visit)
                if robot != POISONED:
                    lessons.teach(robot, label, rows, f'visit {visit}')
                    continue
                for row in rows:
                    wrong = wrong_label(kind, thing, rng)
                    lessons.teach(robot, wrong, row[np.newaxis], f'visit {visit}')
    if kind == 'relabels':
        for robot in ROBOTS[:POISONED]:
            for thing in range(2):
                rows = views(thing, VIEWS, place=robot, seed=0)
                lessons.relabel(POISONED, THINGS[thing ^ 1], rows)
    return lessons


@pytest.mark.parametrize(
    'kind',
    ['random', 'half random', 'swapped', 'new class', 'more than all others', 'relabels'],
)
def test_the_others_lose_at_most_a_point_and_forget_it_byte_for_byte(
    tmp_path: Path, kind: str
) -> None:
    lessons = taught(kind)
    clean, robot = tmp_path / 'clean', tmp_path / 'robot'
    with lessons.ledger(0, [each for each in ROBOTS if each != POISONED]) as ledger:
        assert train(clean, ledger).outcome == 'served'
    with lessons.ledger(0, ROBOTS, order=lambda packs: packs[::-1]) as ledger:
        assert train(robot, ledger).outcome == 'served'
        assert accuracy(robot, EXAM) >= accuracy(clean, EXAM) - 0.01
        revoked = [member(each, keep={} if each == POISONED else None) for each in range(12)]
        assert ledger.set_roster(roster(revoked, version=2))
        train(robot, ledger)
    assert newest_model(robot) == newest_model(clean)
