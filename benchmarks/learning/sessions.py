# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Tasks of a robot that is taught in some sessions and used in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.learning.rivals import RIVALS
from benchmarks.learning.session_sets import SessionSet
from edgetpu_retrain.learning import fit, Head, IntArray
from edgetpu_retrain.learning.default_training.calibration import expected_calibration_error
from edgetpu_retrain.learning.training_report import TAUGHT_IN_ONE_GO
import numpy as np

SEEDS = 5
_CLASSES = 20
# Classes, and samples of the small ones and of the large one, of the task with strangers.
_UNEVEN_CLASSES, _SMALL, _LARGE = 6, 12, 60

Days = Literal['exam_day_taught', 'other_days_taught', 'one_recording']


@dataclass(frozen=True)
class SessionTask:
    """
    What is taught, and the exam.

    Args:
        data: name of the set.
        taught: sessions and the number of samples of each class from each; all of a session's if
            it has fewer.
        exam: the session whose other samples are the exam.
        days: how the sessions taught relate to the exam's.
    """

    data: str
    taught: tuple[tuple[str, int], ...]
    exam: str
    days: Days

    def __str__(self) -> str:
        """Return a name for tables, such as ``sim A(30) + B(3) -> B``."""
        taught = ' + '.join(f'{session}({count})' for session, count in self.taught)
        return f'{self.data.removesuffix("_lite0")} {taught} -> {self.exam}'


def _tasks(data: str) -> list[SessionTask]:
    """Return the tasks of a set with a burst (A), other views (D) and other places (B, C)."""
    burst = ('A', 30)
    return [
        SessionTask(data, (burst, ('B', 3)), 'B', 'exam_day_taught'),
        SessionTask(data, (burst, ('C', 3)), 'C', 'exam_day_taught'),
        SessionTask(data, (burst, ('D', 3), ('B', 3)), 'B', 'exam_day_taught'),
        SessionTask(data, (burst, ('D', 12)), 'B', 'other_days_taught'),
        SessionTask(data, (burst, ('D', 12)), 'C', 'other_days_taught'),
        SessionTask(data, (burst,), 'D', 'one_recording'),
        SessionTask(data, (burst,), 'B', 'one_recording'),
        SessionTask(data, (burst,), 'C', 'one_recording'),
    ]


TASKS = [
    *_tasks('sim_lite0'),
    SessionTask('office_lite0', (('webcam', 20), ('dslr', 20)), 'amazon', 'other_days_taught'),
    SessionTask('office_lite0', (('webcam', 20),), 'amazon', 'one_recording'),
    SessionTask('grocery_lite0', (('A', 20),), 'B', 'one_recording'),
    SessionTask('grocery_lite0', (('A', 5),), 'B', 'one_recording'),
    *_tasks('synthetic'),
]


@dataclass(frozen=True, eq=False)
class Drawn:
    """
    The samples of a task for one seed.

    Args:
        rows: int64 ``[N]``, the samples taught.
        labels: int64 ``[N]``, their classes, 0..C-1.
        recordings: int64 ``[N]``, a number for each class in each session.
        exam: int64 ``[M]``, the samples of the exam.
        truth: int64 ``[M]``, their classes.
        others: int64 ``[K]``, samples of the exam's session of the classes that were not taught.
    """

    rows: IntArray
    labels: IntArray
    recordings: IntArray
    exam: IntArray
    truth: IntArray
    others: IntArray


def draw(task: SessionTask, data: SessionSet, seed: int, classes: int = _CLASSES) -> Drawn:
    """Draw classes, and the samples of each, at random."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(data.rows.num_classes)[:classes]
    parts: dict[str, list[IntArray]] = {'rows': [], 'labels': [], 'recordings': []}
    parts |= {'exam': [], 'truth': []}
    for label, number in enumerate(chosen.tolist()):
        left = data.members(task.exam, number)
        for session, count in task.taught:
            members = data.members(session, number)
            taken = np.sort(rng.permutation(members)[:count])
            left = np.setdiff1d(left, taken)
            parts['recordings'].append(np.full(len(taken), len(parts['rows'])))
            parts['rows'].append(taken)
            parts['labels'].append(np.full(len(taken), label))
        parts['exam'].append(left)
        parts['truth'].append(np.full(len(left), label))
    others = (data.session == task.exam) & ~np.isin(data.rows.labels, [-1, *chosen])
    whole = {name: np.concatenate(part) for name, part in parts.items()}
    return Drawn(**whole, others=np.flatnonzero(others))


def trained(data: SessionSet, drawn: Drawn, seed: int) -> Head:
    """Train with ``fit`` on what was drawn."""
    return fit(
        data.rows.raw[drawn.rows],
        drawn.labels,
        scale=data.rows.scale,
        zero_point=data.rows.zero_point,
        recordings=drawn.recordings,
        seed=seed,
    )


@dataclass(frozen=True)
class Outcome:
    """
    The figures of one seed, in %, except for the calibration error (0 to 1).

    Args:
        right: accuracy in the exam.
        claimed: accuracy according to the training's own report.
        calibration: the calibration error in the exam.
        rejected: share of the exam that is called unknown.
        near_found: share of other classes' samples of that session that are called unknown; NaN if
            there are none.
        rivals: accuracies of the baselines in the exam.
        warned: whether the report says that its figures say nothing about another day.
    """

    right: float
    claimed: float
    calibration: float
    rejected: float
    near_found: float
    rivals: dict[str, float]
    warned: bool

    @property
    def overclaimed(self) -> float:
        """Claimed less real accuracy."""
        return self.claimed - self.right


def outcome(task: SessionTask, data: SessionSet, seed: int, *, classes: int = _CLASSES) -> Outcome:
    """Train on the samples of a task, with ``fit`` and as its rivals do, and take the exam."""
    drawn = draw(task, data, seed, classes)
    head = trained(data, drawn, seed)
    if head.metrics is None:
        raise RuntimeError('fit returned no metrics')
    seen, known = data.rows.floats(drawn.exam), data.rows.floats(drawn.rows)
    return Outcome(
        percentage(head.predict(seen) == drawn.truth),
        100 * head.metrics.accuracy,
        expected_calibration_error(head.predict_proba(seen), drawn.truth),
        rejected(head, data, drawn.exam),
        rejected(head, data, drawn.others),
        {
            name: percentage(rival(known, drawn.labels, seen) == drawn.truth)
            for name, rival in RIVALS.items()
        },
        TAUGHT_IN_ONE_GO in head.metrics.in_words(),
    )


def strangers(
    data: SessionSet, strange: SessionSet, seed: int, *, kinds: int = 1
) -> tuple[float, float]:
    """
    Return the share (%) of strangers, and of other known samples, that are called unknown.

    Six classes of photographs are taught, one with 60 and the others with 12 samples.

    Args:
        data: the set to teach from, all its sessions.
        strange: samples of other things.
        seed: random seed.
        kinds: how many classes of the set the large class is made of: the more, the more varied.
    """
    rng = np.random.default_rng(seed)
    counts = np.bincount(data.rows.labels[data.rows.labels >= 0])
    large = rng.choice(np.flatnonzero(counts > _LARGE // kinds), kinds, replace=False)
    small = rng.permutation(np.setdiff1d(np.arange(len(counts)), large))[: _UNEVEN_CLASSES - 1]
    rows, labels, exam = [], [], []
    for place, number in enumerate([*large, *small]):
        members = rng.permutation(np.flatnonzero(data.rows.labels == number))
        taken, rest = np.split(members, [_LARGE // kinds if place < kinds else _SMALL])
        rows.append(taken)
        labels.append(np.full(len(taken), max(0, place - kinds + 1)))
        exam.append(rest)
    taught, known = np.concatenate(rows), np.concatenate(exam)
    nothing = np.empty(0, np.int64)
    # Each photograph was taken by itself.
    recordings = np.arange(len(taught))
    drawn = Drawn(taught, np.concatenate(labels), recordings, nothing, nothing, nothing)
    head = trained(data, drawn, seed)
    everything = np.arange(len(strange.rows.labels))
    return rejected(head, strange, everything), rejected(head, data, known)


def rejected(head: Head, data: SessionSet, rows: IntArray) -> float:
    """Return the share (%) of some rows that a head calls unknown; NaN without rows."""
    if not len(rows):
        return float('nan')
    return percentage(head.unknown_scores(data.rows.floats(rows)) > head.unknown_threshold)


def percentage(flags: object) -> float:
    """Return the share of flags that are true, in %."""
    return 100.0 * float(np.mean(np.asarray(flags)))
