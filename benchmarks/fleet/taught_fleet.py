# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Fleets whose robots teach views of a set, one of them with wrong labels, for poison.py."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.learning.session_sets import SessionSet
from edgetpu_retrain.learning import IntArray
import numpy as np
import numpy.typing as npt

ROBOTS, POISONED, CLASSES = 10, 9, 20
VIEWS = 12
_TEACHERS, _FEWEST = 5, 20
_COPIES = 20
_NOISE = 0.05
# The place of nine robots, and that of the last one.
_PLACES = {'office_lite0': ('amazon', 'webcam')}


@dataclass(frozen=True, eq=False)
class Fleet:
    """
    What the robots have, and views that nobody has trained on.

    Args:
        data: the set.
        rows: int64 ``[N]``, rows of the set.
        labels: int64 ``[N]``, their true classes, 0 to CLASSES - 1.
        robots: int64 ``[N]``, who has taken them.
        noise: int16 ``[N, D]``, what is added to the embeddings.
        exam: int64 ``[E]``, rows of the views.
        truth: int64 ``[E]``, their classes.
    """

    data: SessionSet
    rows: IntArray
    labels: IntArray
    robots: IntArray
    noise: npt.NDArray[np.int16]
    exam: IntArray
    truth: IntArray

    def part(self, chosen: npt.NDArray[np.bool_]) -> Fleet:
        """Return the fleet with some of its samples."""
        return Fleet(
            self.data, self.rows[chosen], self.labels[chosen], self.robots[chosen],
            self.noise[chosen], self.exam, self.truth,
        )  # fmt: skip


class _Views:
    """Rows of a set, with their classes and the robots that have taken them."""

    def __init__(self) -> None:
        self._parts: list[tuple[IntArray, IntArray, IntArray]] = []

    def add(self, rows: IntArray, label: int, robot: int = -1) -> None:
        """Add rows of one class and one robot; -1 = of no robot."""
        self._parts.append((rows, np.full(len(rows), label), np.full(len(rows), robot)))

    def arrays(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return rows, classes and robots."""
        rows, labels, robots = map(np.concatenate, zip(*self._parts, strict=True))
        return rows, labels, robots


def make_fleet(data: SessionSet, rng: np.random.Generator, *, bulk: bool) -> Fleet:
    """Let robots teach classes; with ``bulk``, the last one has more samples than all others."""
    sessions = np.unique(data.session[data.rows.labels >= 0])
    if data.rows.name.startswith('grocery'):
        # B is the other visits, on which nobody trains.
        places, exam_places = ['A'], ['B']
    else:
        places = exam_places = [str(each) for each in sessions if len(str(each)) == 1] or [
            str(each) for each in sessions
        ]
    labels = data.rows.labels
    enough = [
        label
        for label in np.unique(labels[labels >= 0])
        if min(np.sum((labels == label) & (data.session == place)) for place in places)
        >= (_FEWEST if len(places) == 1 else VIEWS // 2)
    ]
    lessons, exam = _Views(), _Views()
    for number, label in enumerate(rng.permutation(enough)[:CLASSES]):
        left = {}
        for place in sorted({*places, *exam_places}):
            members = rng.permutation(np.flatnonzero((labels == label) & (data.session == place)))
            cut = len(members) if place not in places else max(3, len(members) // 4)
            cut = cut if place in exam_places else 0
            exam.add(members[:cut], number)
            left[place] = members[cut:]
        for robot in rng.permutation(ROBOTS)[:_TEACHERS]:
            place = places[robot % len(places)]
            taken, left[place] = left[place][:VIEWS], left[place][VIEWS:]
            lessons.add(taken, number, int(robot))
    index, what, who = lessons.arrays()
    noise = np.zeros((len(index), data.rows.raw.shape[1]), np.int16)
    if bulk:
        own = np.flatnonzero(who == POISONED)
        more = np.tile(own, _COPIES)
        extra = rng.integers(-6, 7, (len(more), noise.shape[1]), dtype=np.int16)
        index, what, who = (np.concatenate([each, each[more]]) for each in (index, what, who))
        noise = np.concatenate([noise, extra])
    return Fleet(data, index, what, who, noise, *exam.arrays()[:2])


def make_fleet_in_two_places(data: SessionSet, rng: np.random.Generator) -> Fleet:
    """Let nine robots teach in one place, and the last one in another."""
    here, elsewhere = _PLACES.get(data.rows.name, ('A', 'B'))
    labels = data.rows.labels
    enough = [
        label
        for label in np.unique(labels[labels >= 0])
        if np.sum((labels == label) & (data.session == here)) >= 2 * VIEWS
        and np.sum((labels == label) & (data.session == elsewhere)) >= 9
    ]
    lessons, exam = _Views(), _Views()
    for number, label in enumerate(rng.permutation(enough)[:CLASSES]):
        left = {}
        for place in (here, elsewhere):
            members = rng.permutation(np.flatnonzero((labels == label) & (data.session == place)))
            cut = max(3, len(members) // 4)
            exam.add(members[:cut], number)
            left[place] = members[cut:]
        count = max(4, min(VIEWS, len(left[here]) // _TEACHERS))
        for robot in rng.permutation(ROBOTS)[:_TEACHERS]:
            place = elsewhere if robot == POISONED else here
            taken, left[place] = left[place][:count], left[place][count:]
            lessons.add(taken, number, int(robot))
    index, what, who = lessons.arrays()
    noise = np.zeros((len(index), data.rows.raw.shape[1]), np.int16)
    return Fleet(data, index, what, who, noise, *exam.arrays()[:2])


def fleet_of(data: SessionSet, kind: str, seed: int) -> Fleet:
    """Return the fleet for a kind of labels; see ``claimed_labels``."""
    rng = np.random.default_rng(seed)
    if kind == 'another place':
        return make_fleet_in_two_places(data, rng)
    fleet = make_fleet(data, rng, bulk=kind == 'bulk')
    if kind == 'only teacher':
        label = fleet.labels[fleet.robots == POISONED].min()
        fleet = fleet.part((fleet.labels != label) | (fleet.robots == POISONED))
    return fleet


def claimed_labels(fleet: Fleet, kind: str, seed: int) -> IntArray:
    """Return what is claimed, int64 ``[N]``; CLASSES is a class that nobody else teaches."""
    rng = np.random.default_rng(seed)
    claimed = fleet.labels.copy()
    own = np.flatnonzero(fleet.robots == POISONED)
    known = np.unique(claimed[own])
    if kind in ('random', 'half random'):
        some = own if kind == 'random' else rng.permutation(own)[: len(own) // 2]
        claimed[some] = rng.integers(0, CLASSES, len(some))
    elif kind in ('all swapped', 'bulk'):
        following = dict(zip(known.tolist(), np.roll(known, 1).tolist(), strict=True))
        claimed[own] = [following[int(label)] for label in claimed[own]]
    elif kind == 'two swapped' and len(known) > 1:
        one, other = known[:2]
        claimed[own] = np.where(
            claimed[own] == one, other, np.where(claimed[own] == other, one, claimed[own])
        )
    elif kind == 'new class':
        claimed[own] = CLASSES
    elif kind == 'noise':
        some = np.flatnonzero(rng.random(len(claimed)) < _NOISE)
        claimed[some] = rng.integers(0, CLASSES, len(some))
    return claimed


def places_in(groups: IntArray) -> IntArray:
    """Return the place of each row among those of its group, int64 ``[N]``."""
    places = np.empty(len(groups), np.int64)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        places[members] = np.arange(len(members))
    return places
