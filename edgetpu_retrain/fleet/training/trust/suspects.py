# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Finds labels of other robots that contradict what the rest of the fleet has taught.

A judge is a head that is trained without the robots whose samples it judges, because a head that
has learned a robot's wrong labels would confirm them.  All robots except this one are divided into
folds.  Each judge judges the samples of one fold, and is trained on this robot's own samples and
those of the other folds.

Single mistakes cost a head little, and samples from a place that only one robot knows may look
like mistakes.  So all labels of a robot are judged together, and all of its labels of one class.
Single samples are judged only if the robot makes many mistakes.  The labels of a class that the
judge does not know cannot be judged in this way.  If only one robot teaches such a class, the
class is a suspect if it takes views of other classes: if judges classify many of their samples as
this class.

A judge that has learned wrong labels suspects right ones.  So all samples of robots that teach
wrong labels are suspects before any judge is trained, see wrong_teachers.py.  If there are other
suspects, all samples are judged again, by judges that are trained without the suspects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgetpu_retrain.fleet.training.pool import BoolArray, Pool
from edgetpu_retrain.fleet.training.trust.mistakes import chances_of_mistakes, Floats, own_shares
from edgetpu_retrain.fleet.training.trust.wrong_teachers import wrong_teachers
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.held_out import fit_rows, probabilities_of
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np

FOLDS = 5
"""The largest number of judges; each judges the robots of one fold."""

MOST_ROWS = 6000
"""The largest number of samples that a judge is trained on, so that judging takes seconds."""

# The largest number of times that the samples are judged; judging ends earlier when it finds the
# same suspects as before.
_ROUNDS = 3
# Labels are suspects above this probability of being wrong.  It is compared with the mean
# probability of all labels of a robot, with that of its labels of one class, and, if the robot
# makes many mistakes, with the probability of each label.
_MOSTLY_WRONG = 0.5
# A robot makes many mistakes if its labels have more than this mean probability of being wrong:
# its samples are then also judged one by one.
_MANY_MISTAKES = 0.1
# A class that only one robot teaches is a suspect if it takes more than this share of the views of
# another class, and at least this number of them.  In measurements, classes that were taught
# correctly took at most a quarter.
_TAKEN, _FEWEST_TAKEN = 0.3, 3
# A single class may be too small to be noticed.  So the classes that a robot alone teaches are
# also judged together: if they take at least this share of all views, at least this number of
# views for each of their samples, and at least _FEWEST_TAKEN views, then each of these classes
# that takes a view is a suspect.
_TAKEN_OF_ALL, _TAKEN_BY_EACH = 0.02, 0.25


@dataclass(frozen=True, eq=False)
class _Verdicts:
    """
    The results of the judges.

    Args:
        chances: float64 ``[N]``, how probable it is that each label is wrong; NaN = not judged, or
            the judge does not know the class.
        predicted: int64 ``[N]``, the judge's class of each sample; -1 = not judged.
    """

    chances: Floats
    predicted: IntArray


def suspected(pool: Pool, options: TrainingOptions) -> BoolArray:
    """
    Return which samples of other robots have a label that is probably wrong, bool ``[N]``.

    Args:
        pool: all samples.
        options: the training options, with which the judges are trained.

    Raises:
        RequestError: if the options are not valid.
    """
    wrong = wrong_teachers(pool, _some(pool, np.arange(len(pool))))
    found = taking = wrong
    for _ in range(_ROUNDS):
        verdicts = _judged(pool, found, options)
        # Keep the classes that took views in earlier rounds: a judge that was trained without a
        # class classifies no views as this class.
        taking = taking | _taking_views(pool, verdicts, found)
        before, found = found, _contradicting(pool, verdicts) | taking | wrong
        if np.array_equal(before, found):
            break
    return found


def _judged(pool: Pool, left_out: BoolArray, options: TrainingOptions) -> _Verdicts:
    """Judge the samples of each other robot by a head that is trained without the robot's fold."""
    count = len(pool)
    others = np.unique(pool.origins[~pool.is_own])
    # This robot's own samples are in all trainings, and are not judged.
    fold_of = np.full(count, -1, np.int64)
    for number, origin in enumerate(others):
        fold_of[(pool.origins == origin) & ~pool.is_own] = number % FOLDS
    predicted = np.full(count, -1, np.int64)
    rows: list[IntArray] = []
    shares: list[Floats] = []
    known: list[IntArray] = []
    for fold in range(min(FOLDS, len(others))):
        learned = _some(pool, np.flatnonzero((fold_of != fold) & ~left_out))
        classes = np.unique(pool.labels[learned])
        if len(classes) < 2:
            continue
        # Without recordings, the head is usually evaluated with one held-out split instead of
        # several.  This is faster, and changes only the head's temperature, which mistakes.py
        # estimates anyway.
        lesson = replace(pool.training_set(learned), recordings=np.empty(0, np.int64))
        head = fit_rows(lesson, np.arange(len(learned)), options)
        judged = np.flatnonzero(fold_of == fold)
        probabilities = probabilities_of(head, pool.training_set(judged), np.arange(len(judged)))
        predicted[judged] = classes[np.argmax(probabilities, axis=1)]
        can_judge = np.isin(pool.labels[judged], classes)
        judged = judged[can_judge]
        labels = np.searchsorted(classes, pool.labels[judged])
        rows.append(judged)
        shares.append(own_shares(probabilities[can_judge], labels))
        known.append(np.full(len(judged), len(classes) - 1))
    chances = np.full(count, np.nan)
    if rows:
        where = np.concatenate(rows)
        chances[where] = chances_of_mistakes(
            np.concatenate(shares), np.concatenate(known), pool.origins[where], pool.groups[where]
        )
    return _Verdicts(chances, predicted)


def _some(pool: Pool, rows: IntArray) -> IntArray:
    """Return at most MOST_ROWS rows, spread about evenly over robots and classes, ascending."""
    if len(rows) <= MOST_ROWS:
        return rows
    order = rows[np.argsort(pool.groups[rows], kind='stable')]
    starts = np.flatnonzero(np.diff(pool.groups[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    size = int(sizes.max())
    while size > 1 and np.minimum(sizes, size).sum() > MOST_ROWS:
        size -= max(1, size // 8)
    places = [
        start + np.linspace(0, count - 1, min(count, size)).astype(np.int64)
        for start, count in zip(starts, sizes, strict=True)
    ]
    kept = np.concatenate(places)
    step = -(-len(kept) // MOST_ROWS)
    return np.sort(order[kept[::step]])


def _contradicting(pool: Pool, verdicts: _Verdicts) -> BoolArray:
    """Return the samples whose labels are probably wrong, as bool ``[N]``."""
    found = np.zeros(len(pool), bool)
    is_judged = ~np.isnan(verdicts.chances)
    for members in _groups(pool, pool.origins):
        judged = members[is_judged[members]]
        mean = verdicts.chances[judged].mean() if len(judged) else 0.0
        if mean > _MOSTLY_WRONG:
            # This includes the robot's samples of classes that its judge does not know.
            found[members] = True
        elif mean > _MANY_MISTAKES:
            found[judged] = verdicts.chances[judged] > _MOSTLY_WRONG
    for members in _groups(pool, pool.groups):
        chances = verdicts.chances[members][is_judged[members]]
        if len(chances) and chances.mean() > _MOSTLY_WRONG:
            found[members] = True
    return found


def _taking_views(pool: Pool, verdicts: _Verdicts, left_out: BoolArray) -> BoolArray:
    """Return the samples of classes that only one robot teaches and that take views, bool [N]."""
    # Count only views of classes that the judge knows, because it misclassifies all others.  Do
    # not count views whose label is a suspect: the judge may be right about these.
    known = ~np.isnan(verdicts.chances) & ~left_out
    found = np.zeros(len(pool), bool)
    for own in _groups(pool, pool.origins):
        origin = pool.origins[own[0]]
        elsewhere = (pool.origins != origin) & known
        seen = np.bincount(pool.labels[elsewhere], minlength=len(pool.names))
        total, samples = 0, 0
        taking: list[int] = []
        for label in np.setdiff1d(pool.labels[own], pool.labels[pool.origins != origin]):
            members = own[pool.labels[own] == label]
            taken = np.bincount(
                pool.labels[elsewhere & (verdicts.predicted == label)], minlength=len(pool.names)
            )
            if ((taken >= _FEWEST_TAKEN) & (taken > _TAKEN * seen)).any():
                found[members] = True
            total, samples = total + int(taken.sum()), samples + len(members)
            taking += members.tolist() if taken.any() else []
        enough = max(_FEWEST_TAKEN, _TAKEN_OF_ALL * seen.sum(), _TAKEN_BY_EACH * samples)
        if total >= enough:
            found[taking] = True
    return found


def _groups(pool: Pool, numbers: IntArray) -> list[IntArray]:
    """Split the rows of other robots' samples by their values in ``numbers``, int64 ``[N]``."""
    rows = np.flatnonzero(~pool.is_own)
    rows = rows[np.argsort(numbers[rows], kind='stable')]
    return np.split(rows, np.flatnonzero(np.diff(numbers[rows])) + 1) if len(rows) else []
