# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn for the tasks of other days, from a small synthetic set."""

from __future__ import annotations

from benchmarks.learning.session_sets import joined, SessionSet, synthetic_sessions
from benchmarks.learning.sessions import draw, outcome, SessionTask, strangers, TASKS
import numpy as np
import pytest

CLASSES = 6
TASK = SessionTask('synthetic', (('A', 30), ('B', 3)), 'B', 'exam_day_taught')


@pytest.fixture(scope='module')
def data() -> SessionSet:
    """Return a set of six classes."""
    return synthetic_sessions(CLASSES, dim=64)


def distances(data: SessionSet, session: str) -> float:
    """Return the median cosine distance between two samples of a class in a session."""
    found = []
    for label in range(CLASSES):
        vectors = data.rows.floats(data.members(session, label))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        found.append(1.0 - (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)])
    return float(np.median(np.concatenate(found)))


def test_frames_of_a_burst_are_near_copies(data: SessionSet) -> None:
    assert distances(data, 'A') < 0.3 * distances(data, 'D')


def test_each_session_has_samples_of_every_class(data: SessionSet) -> None:
    counts = {session: len(data.members(session, 2)) for session in 'ADBC'}
    assert counts == {'A': 30, 'D': 12, 'B': 12, 'C': 12}


def test_a_synthetic_set_is_always_the_same(data: SessionSet) -> None:
    again = synthetic_sessions(CLASSES, dim=64)
    np.testing.assert_array_equal(again.rows.raw, data.rows.raw)


def test_draws_the_exam_from_what_is_not_taught(data: SessionSet) -> None:
    drawn = draw(TASK, data, seed=0, classes=4)
    assert not set(drawn.rows) & set(drawn.exam)
    assert set(data.session[drawn.exam]) == {'B'}
    np.testing.assert_array_equal(np.bincount(drawn.labels), [33] * 4)
    np.testing.assert_array_equal(np.bincount(drawn.truth), [9] * 4)


def test_each_class_of_a_session_is_a_recording(data: SessionSet) -> None:
    drawn = draw(TASK, data, seed=0, classes=4)
    assert sorted(np.bincount(drawn.recordings)) == [3] * 4 + [30] * 4
    for number in range(8):
        rows = drawn.rows[drawn.recordings == number]
        assert len(set(data.session[rows])) == 1
        assert len(set(data.rows.labels[rows])) == 1
        assert (np.diff(rows) > 0).all()


def test_classes_keep_their_numbers_in_the_exam(data: SessionSet) -> None:
    drawn = draw(TASK, data, seed=1, classes=4)
    for number in range(4):
        taught = set(data.rows.labels[drawn.rows[drawn.labels == number]])
        assert taught == set(data.rows.labels[drawn.exam[drawn.truth == number]])
        assert len(taught) == 1


def test_others_are_the_classes_that_are_not_taught(data: SessionSet) -> None:
    drawn = draw(TASK, data, seed=0, classes=4)
    taught = set(data.rows.labels[drawn.rows])
    assert set(data.rows.labels[drawn.others]) == set(range(CLASSES)) - taught
    assert set(data.session[drawn.others]) == {'B'}


def test_a_seed_draws_other_classes(data: SessionSet) -> None:
    one, other = (draw(TASK, data, seed, classes=4) for seed in (0, 1))
    assert not np.array_equal(one.rows, other.rows)


def test_names_of_tasks_differ() -> None:
    assert str(TASK) == 'synthetic A(30) + B(3) -> B'
    assert len({str(task) for task in TASKS}) == len(TASKS)


def test_an_outcome_has_all_figures(data: SessionSet) -> None:
    found = outcome(TASK, data, 0, classes=4)
    for figure in (found.right, found.claimed, found.rejected, found.near_found):
        assert 0.0 <= figure <= 100.0
    assert 0.0 <= found.calibration <= 1.0
    assert found.overclaimed == found.claimed - found.right
    # Chance is 25 %.
    assert min(found.right, *found.rivals.values()) > 40.0


def test_joined_sets_have_the_classes_of_both(data: SessionSet) -> None:
    both = joined([data, data], CLASSES + 2)
    assert both.num_classes == CLASSES + 2
    assert len(both.labels) == 66 * (CLASSES + 2)
    np.testing.assert_array_equal(both.raw[both.labels == CLASSES + 1], both.raw[both.labels == 1])


@pytest.mark.parametrize('kinds', [1, 3])
def test_strangers_are_found_beside_a_large_class(kinds: int) -> None:
    wide = synthetic_sessions(12, dim=64)
    others = synthetic_sessions(4, dim=64, seed=1)
    found, known = strangers(wide, others, 0, kinds=kinds)
    # A set of another mixing is as far from these classes as can be.
    assert found > known + 10.0
