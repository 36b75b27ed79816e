# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Finds robots that teach wrong labels, so that nothing is learned from these robots.

Two tests find such a robot.  Both classify samples that the classifier has not learned:

- Harm: a classifier that has learned the robot's samples classifies those of other robots worse
  than one that has not.  This finds labels that are swapped, new names for known things, and very
  many wrong labels.
- Disorder: a classifier that has learned half of the robot's samples, besides those of others,
  classifies many of the other half wrongly.  This finds random labels, even if half of them are
  right.

Neither test is meant to suspect a robot in another place.  Its samples do not help other robots,
but do not harm them either, and a classifier that has learned half of its samples classifies the
other half well.  After a robot is found, the tests are repeated without it, because its samples
make those of other robots look wrong.
"""

from __future__ import annotations

from edgetpu_retrain.fleet.training.pool import BoolArray, Pool
from edgetpu_retrain.fleet.training.trust.least_squares import (
    Classification,
    LeastSquares,
    projected,
)
from edgetpu_retrain.fleet.training.trust.origin_cap import over_the_cap
from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np

# The largest number of folds into which the robots are divided to measure harm.
_FOLDS = 5
# A robot does harm if, because of its samples, fewer samples of the others are classified
# correctly: fewer by more than this share of them, and by more than this number of standard
# deviations, see gate.py.  Of 700 harmless robots, about one exceeds that number by chance.
_HARM, _HARM_DEVIATIONS = 0.01, 3.0
# The limit of disorder is this share of the median robot's accuracy.  A robot is in disorder if
# its accuracy is below the limit by more than this number of standard deviations.  Of 20 robots
# exactly at the limit, one is in disorder by chance.
_ORDER, _ORDER_DEVIATIONS = 0.7, 1.645
# The origin of this robot's own samples, instead of an index of ``Pool.keys``.
_OWN = -1


def wrong_teachers(pool: Pool, rows: IntArray) -> BoolArray:
    """
    Return which samples come from robots that teach wrong labels, bool ``[N]``.

    At most half of the other robots are found, rounded up.

    Args:
        pool: all samples.
        rows: int64 ``[M]``, the samples with which to test the robots.
    """
    found = np.zeros(len(pool), bool)
    if not len(rows):
        return found
    others = len(np.unique(pool.origins[~pool.is_own]))
    projections = projected(pool, rows)
    for _ in range((others + 1) // 2):
        kept = np.flatnonzero(~found[rows])
        kept = kept[~over_the_cap(pool, rows[kept])]
        judge = _Judge(pool, rows[kept], projections[kept])
        origin = judge.most_harmful()
        if origin is None:
            origin = judge.most_disorderly()
        if origin is None:
            break
        found |= (pool.origins == origin) & ~pool.is_own
    return found


class _Judge:
    """Classifies the samples of robots after learning those of others, to find wrong teachers."""

    def __init__(self, pool: Pool, rows: IntArray, projections: FloatArray) -> None:
        self._learner = LeastSquares(pool, rows, projections)
        self._truth = pool.labels[rows]
        self._origins = np.where(pool.is_own[rows], _OWN, pool.origins[rows])
        self._robots = np.unique(self._origins)
        places, sizes = _places(pool.groups[rows])
        self._half = places % 2
        # Of each robot and class, count at most the median number of samples, so that a robot with
        # very many samples does not decide alone who does harm.
        self._counts = places < np.median(sizes)
        pairs = np.unique(np.stack([self._truth, self._origins]), axis=1)
        is_shared = np.bincount(pairs[0], minlength=len(pool.names))[self._truth] > 1
        self._comparable = np.unique(self._origins[is_shared])

    def most_harmful(self) -> int | None:
        """Return the origin of the robot that does most harm; None if none does harm."""
        lost, gained, seen = ({int(each): 0 for each in self._robots} for _ in range(3))
        count = min(_FOLDS, len(self._robots))
        for fold in range(count):
            robots = self._robots[fold::count]
            held_out = np.isin(self._origins, robots)
            others = self._learner.all - self._learner.sums(np.flatnonzero(held_out))
            members = np.flatnonzero(held_out & self._counts)
            answers = Classification(self._learner, members, others)
            with_it = answers.classes() == self._truth[members]
            tested = np.setdiff1d(self._robots, [*robots, _OWN]).tolist()
            groups = [np.flatnonzero(self._origins == origin) for origin in tested]
            for origin, classes in zip(tested, answers.classes_without_each(groups), strict=True):
                without = classes == self._truth[members]
                lost[origin] += int((without & ~with_it).sum())
                gained[origin] += int((with_it & ~without).sum())
                seen[origin] += len(members)
        harms = {
            origin: (lost[origin] - gained[origin]) / np.sqrt(lost[origin] + gained[origin])
            for origin in lost
            if lost[origin] - gained[origin] > _HARM * seen[origin]
        }
        worst = max(harms, key=harms.__getitem__, default=_OWN)
        return worst if harms.get(worst, 0.0) > _HARM_DEVIATIONS else None

    def most_disorderly(self) -> int | None:
        """Return the origin of the robot in the greatest disorder; None if none is in disorder."""
        right: dict[int, float] = {}
        counts: dict[int, int] = {}
        # A few samples of a new class may not suffice to learn it, so a robot that teaches only
        # classes that no other robot teaches is not tested.
        for origin in self._comparable.tolist():
            number = 0
            for half in range(2):
                members = np.flatnonzero((self._origins == origin) & (self._half == half))
                answers = Classification(self._learner, members, self._learner.all)
                number += int((answers.classes_without(members) == self._truth[members]).sum())
            counts[origin] = int((self._origins == origin).sum())
            right[origin] = number / counts[origin]
        if not right:
            return None
        expected = _ORDER * float(np.median(list(right.values())))
        deviation = np.sqrt(expected * (1.0 - expected))
        shares = {
            origin: share
            for origin, share in right.items()
            if origin != _OWN
            and share < expected - _ORDER_DEVIATIONS * deviation / np.sqrt(counts[origin])
        }
        return min(shares, key=shares.__getitem__, default=None)


def _places(groups: IntArray) -> tuple[IntArray, IntArray]:
    """Return the index of each row within its group, int64 ``[M]``, and the groups' sizes."""
    order = np.argsort(groups, kind='stable')
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sizes = np.diff(starts, append=len(groups))
    places = np.empty(len(groups), np.int64)
    places[order] = np.arange(len(groups)) - np.repeat(starts, sizes)
    return places, sizes
