# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A head serves only if it is not worse on this robot's own recordings."""

from __future__ import annotations

from dataclasses import replace
import re

from edgetpu_retrain.fleet.training.exam import Exam
from edgetpu_retrain.fleet.training.gate import GateVerdict, MOST_LEFT_OUT, pass_gate
from edgetpu_retrain.fleet.training.pool import Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.trust.trusted import Trusted
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
from support.fleet_lessons import Lessons, pool_of, views
from support.fleet_members import robot_key

OPTIONS = TrainingOptions()


def own_lessons() -> Lessons:
    lessons = Lessons()
    for thing, label in enumerate(('bolt', 'cup')):
        for visit in range(4):
            rows = views(thing, 12, place=0, seed=visit)
            lessons.teach(0, label, rows, f'visit {visit}')
    return lessons


def pool(lessons: Lessons) -> Pool:
    with lessons.ledger(0, sorted(lessons.packs)) as ledger:
        return pool_of(ledger)


def verdict(samples: Pool, accepted: IntArray | None = None) -> GateVerdict:
    """Let everything through to the gate, also what trusted.py would leave out."""
    count = len(samples)
    if accepted is None:
        accepted = np.full(count, UNCLAIMED)
    everything = Trusted(samples, np.arange(count), np.zeros(count, bool), 0)
    return pass_gate(everything, accepted, OPTIONS)


def test_what_helps_passes_whole() -> None:
    lessons = own_lessons()
    for robot in range(1, 4):
        for thing, label in enumerate(('bolt', 'cup', 'mug')):
            lessons.teach(robot, label, views(thing, 24, place=robot, seed=0), 'today')
    samples = pool(lessons)
    found = verdict(samples)
    assert (found.reason, found.left_out, len(found.rows)) == ('', (), len(samples))
    assert found.views >= 24


def test_a_class_that_takes_own_views_is_left_out_alone() -> None:
    lessons = own_lessons()
    lessons.teach(1, 'thing', views(0, 100, place=0, seed=50), 'today')
    lessons.teach(2, 'mug', views(3, 30, place=2, seed=0), 'today')
    samples = pool(lessons)
    found = verdict(samples)
    assert found.reason == ''
    assert found.left_out == ((robot_key(1).public, 'thing'),)
    assert len(found.rows) == len(samples) - 100


def test_a_head_that_stays_worse_is_rejected_in_words() -> None:
    lessons = own_lessons()
    for robot in range(1, 2 + MOST_LEFT_OUT):
        lessons.teach(robot, f'thing {robot}', views(0, 100, place=0, seed=robot), 'today')
    samples = pool(lessons)
    found = verdict(samples)
    words = r"the class 'bolt' would vanish: of \d+ held-out views .* instead of \d"
    assert re.match(words, found.reason)
    assert found.right < found.right_before


def test_what_was_accepted_last_counts_as_well_as_the_own_samples() -> None:
    lessons = own_lessons()
    for robot, label in enumerate(('bolt', 'cup'), 1):
        lessons.teach(robot, label, views(robot - 1, 100, place=0, seed=70), 'today')
    samples = pool(lessons)
    alone, accepted = verdict(samples), verdict(samples, samples.labels)
    assert accepted.right_before >= alone.right_before
    assert accepted.right_before == accepted.right


def test_one_class_does_not_pass() -> None:
    lessons = Lessons()
    lessons.teach(0, 'bolt', views(0, 12, place=0, seed=0), 'today')
    lessons.teach(1, 'bolt', views(0, 12, place=1, seed=0), 'today')
    reason = verdict(pool(lessons)).reason
    assert reason == "all trusted samples are of the class 'bolt': teach another class as well"


def test_a_head_that_cannot_be_compared_does_not_pass() -> None:
    samples = pool(own_lessons())
    # Others call all that is held out a cup, and everything else a bolt.
    held_out = Exam.of(samples, OPTIONS.seed).held_out
    found = verdict(replace(samples, labels=held_out.astype(np.int64)))
    assert 'fewer than two classes, so no head can be compared' in found.reason
    assert len(found.rows) == len(samples)


def test_without_own_samples_everything_passes() -> None:
    lessons = Lessons()
    lessons.teach(1, 'bolt', views(0, 12, place=0, seed=0), 'today')
    lessons.teach(1, 'cup', views(1, 12, place=0, seed=0), 'today')
    assert verdict(pool(lessons)).reason == ''
