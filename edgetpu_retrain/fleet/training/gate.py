# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The gate: a head trained with samples of other robots serves only if it is not worse on this robot.

Three heads are trained without this robot's held-out samples and compared on them: one on the
trusted samples, one on this robot's own samples, and one on the samples that were accepted last.
If the first one is worse than the better of the others, the gate leaves out the samples of one
other robot and one class that caused most of the new mistakes, and compares again.

Trusted samples of fewer than two classes do not pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgetpu_retrain.fleet.training.exam import Exam
from edgetpu_retrain.fleet.training.pool import BoolArray, Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.trust.trusted import Trusted
from edgetpu_retrain.learning import FloatArray, IntArray
from edgetpu_retrain.learning.held_out import squared_distances
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.training_options import TrainingOptions
from edgetpu_retrain.wording import counted, quoted
import numpy as np

MOST_LEFT_OUT = 3
"""Maximum number of times that the gate leaves out samples and compares again."""

# A head is worse if it classifies fewer views correctly than the other head: fewer by more than
# this share of all views, and by more than this number of standard deviations.  If two heads are
# equally good, chance decides which of them is correct about a view that only one classifies
# correctly.  So the standard deviation of the difference is the square root of the number of such
# views (Q. McNemar, 'Note on the sampling error of the difference between correlated proportions
# or percentages', Psychometrika 12, 1947).  With 1.645 standard deviations, at most one of 20
# equally good heads is rejected.
_FORGIVEN_SHARE, _DEVIATIONS = 0.01, 1.645
# A head is also worse if a class vanishes: if the other head classifies two or more views of the
# class correctly, and the new head fewer than this share of that number.
_VANISHED = 0.5
# A mistake is attributed to the samples of the predicted class that are nearest to the view: to
# _NEAREST of at most _MOST_COMPARED samples, which are spread evenly over the class.
_NEAREST, _MOST_COMPARED = 5, 2000
_NOT_COMPARED = (
    'without the held-out samples, the trusted samples have fewer than two classes, so no head '
    'can be compared: teach more samples'
)


@dataclass(frozen=True, eq=False)
class GateVerdict:
    """
    What the gate decided.

    Args:
        rows: int64 ``[M]``, the samples to train on.
        reason: why a head that is trained on these samples must not serve; '' = it may.
        left_out: public key and class of each group of samples that the gate left out; none if
            there is a reason.
        views: number of held-out views; 0 = nothing was compared.
        right: number of views that the head classifies correctly.
        right_before: number of views that the better of the two other heads classifies correctly.
    """

    rows: IntArray
    reason: str = ''
    left_out: tuple[tuple[str, str], ...] = ()
    views: int = 0
    right: int = 0
    right_before: int = 0


def pass_gate(trusted: Trusted, accepted: IntArray, options: TrainingOptions) -> GateVerdict:
    """
    Decide whether a head that is trained on the trusted samples may serve.

    Args:
        trusted: the trusted samples.
        accepted: int64 ``[N]``, the class of each sample when a head was last accepted; UNCLAIMED
            = that head was not trained on the sample.
        options: the training options.

    Raises:
        RequestError: if the options are not valid.
    """
    pool, rows = trusted.pool, trusted.rows
    if has_too_few_classes(pool, rows):
        return GateVerdict(rows, _missing(pool, rows))
    exam = Exam.of(pool, options.seed)
    if not len(exam.rows):
        return GateVerdict(rows)
    before = _best_before(exam, accepted, options)
    left_out: list[tuple[str, str]] = []
    rejected: GateVerdict | None = None
    while True:
        answers = exam.answers(pool.labels, rows, options)
        if answers is None:
            return rejected or GateVerdict(rows, _NOT_COMPARED if before.any() else '')
        right = answers == exam.truth
        reason = why_worse(exam, right, before)
        counts = len(right), int(right.sum()), int(before.sum())
        if not reason:
            return GateVerdict(rows, '', tuple(left_out), *counts)
        rejected = rejected or GateVerdict(rows, reason, (), *counts)
        group = _responsible(exam, rows, answers, before & ~right)
        if group < 0 or len(left_out) == MOST_LEFT_OUT:
            return rejected
        origin, label = divmod(group, len(pool.names))
        left_out.append((pool.keys[origin], pool.names[label]))
        rows = rows[(pool.groups[rows] != group) | pool.is_own[rows]]


def has_too_few_classes(pool: Pool, rows: IntArray) -> bool:
    """Return whether samples of a pool, given by their rows, have fewer than two classes."""
    return len(np.unique(pool.labels[rows])) < 2


def _missing(pool: Pool, rows: IntArray) -> str:
    """Return what samples of fewer than two classes lack."""
    known = [quoted(pool.names[each]) for each in np.unique(pool.labels[rows])]
    if not known:
        return 'there are no trusted samples: teach at least two classes'
    return f'all trusted samples are of the class {known[0]}: teach another class as well'


def _best_before(exam: Exam, accepted: IntArray, options: TrainingOptions) -> BoolArray:
    """
    Return which views the better of two heads classifies correctly, bool ``[E]``.

    One is trained on this robot's own samples, the other one on those that were accepted last.
    A head that cannot be trained counts as classifying no view correctly.
    """
    best = np.zeros(len(exam.rows), bool)
    for labels in (exam.pool.own_labels, accepted):
        answers = exam.answers(labels, np.flatnonzero(labels != UNCLAIMED), options)
        if answers is not None and (answers == exam.truth).sum() > best.sum():
            best = answers == exam.truth
    return best


def why_worse(exam: Exam, right: BoolArray, before: BoolArray) -> str:
    """
    Return why a head must not serve; '' if it may.

    Args:
        exam: the exam.
        right: bool ``[E]``, which views the head classifies correctly.
        before: bool ``[E]``, which views the other head classifies correctly.
    """
    for label in np.unique(exam.truth):
        views = exam.truth == label
        now, then = int(right[views].sum()), int(before[views].sum())
        if then > 1 and now < _VANISHED * then:
            name = quoted(exam.pool.names[label])
            return (
                f'the class {name} would vanish: of {_views(int(views.sum()))} '
                f'the head would have {now} right instead of {then}'
            )
    now, then = int(right.sum()), int(before.sum())
    by_chance = _DEVIATIONS * float(np.sqrt((right != before).sum()))
    if then - now > max(by_chance, _FORGIVEN_SHARE * len(right)):
        return f'of {_views(len(right))} the head would have {now} right instead of {then}'
    return ''


def _views(count: int) -> str:
    return counted(count, 'held-out view of this robot', 'held-out views of this robot')


def _responsible(exam: Exam, rows: IntArray, answers: IntArray, lost: BoolArray) -> int:
    """
    Return the group of samples that caused most of the new mistakes.

    Args:
        exam: the exam.
        rows: int64 ``[M]``, the samples that the head was trained on.
        answers: int64 ``[E]``, the head's class of each view.
        lost: bool ``[E]``, the views that only the other head classifies correctly.

    Returns:
        The number of an origin and a class, see ``Pool.groups``; -1 if this robot's own samples
        caused most mistakes, or no view is lost.
    """
    pool = exam.pool
    blame: dict[int, int] = {}
    for label in np.unique(answers[lost]):
        members = rows[(pool.labels[rows] == label) & ~exam.held_out[rows]]
        members = members[:: -(-len(members) // _MOST_COMPARED)]
        views = exam.rows[lost & (answers == label)]
        distances = squared_distances(_floats(pool, views), _floats(pool, members))
        nearest = members[np.argsort(distances, axis=1, kind='stable')[:, :_NEAREST]]
        for each in nearest.ravel():
            group = -1 if pool.is_own[each] else int(pool.groups[each])
            blame[group] = blame.get(group, 0) + 1
    # Of groups with equally many mistakes, return the smallest number, so that the result does not
    # depend on the order of the views.
    return min(blame, key=lambda group: (-blame[group], group), default=-1)


def _floats(pool: Pool, rows: IntArray) -> FloatArray:
    return dequantize(pool.raw[rows], pool.quantization)
