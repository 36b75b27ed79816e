# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The classifier that can forget."""

from __future__ import annotations

from dataclasses import replace

from edgetpu_retrain.fleet.training.pool import Pool
from edgetpu_retrain.fleet.training.trust.least_squares import (
    Classification,
    LeastSquares,
    projected,
)
import numpy as np
import pytest
from support.fleet_lessons import Lessons, pool_of, views


@pytest.fixture(scope='module')
def pool() -> Pool:
    lessons = Lessons()
    for robot in range(4):
        for thing in range(5 if robot else 4):
            rows = views(thing, 20, place=robot, seed=0)
            lessons.teach(robot, f'thing {thing}', rows, 'today')
    with lessons.ledger(0, sorted(lessons.packs)) as ledger:
        return pool_of(ledger)


def learner_of(pool: Pool) -> LeastSquares:
    rows = np.arange(len(pool))
    return LeastSquares(pool, rows, projected(pool, rows))


@pytest.mark.parametrize('dimension', [16, 600])
def test_samples_are_projected_once_for_all_selections(pool: Pool, dimension: int) -> None:
    numbers = np.random.default_rng(0).integers(0, 256, (len(pool), dimension))
    longer = replace(pool, raw=numbers.astype(np.uint8))
    rows = np.arange(0, len(pool), 3)
    of_all = LeastSquares(longer, rows, projected(longer, np.arange(len(pool)))[rows])
    alone = LeastSquares(longer, rows, projected(longer, rows))
    np.testing.assert_allclose(of_all.features, alone.features, atol=1e-5)


@pytest.mark.parametrize('count', [1, 30, 64, 65, 200])
def test_what_is_forgotten_was_never_learned(pool: Pool, count: int) -> None:
    learner = learner_of(pool)
    order = np.random.default_rng(0).permutation(len(pool))
    forgotten, members = order[:count], order[-100:]
    never = Classification(learner, members, learner.all - learner.sums(forgotten))
    answers = Classification(learner, members, learner.all)
    np.testing.assert_array_equal(answers.classes_without(forgotten), never.classes())
    # This shows nothing if the forgotten samples did not matter.
    assert count < 100 or (answers.classes() != never.classes()).any()


def test_groups_of_all_sizes_are_forgotten_one_by_one_or_together(pool: Pool) -> None:
    learner = learner_of(pool)
    order = np.random.default_rng(0).permutation(len(pool))
    sizes = [1, 70, *range(2, 64, 2), 64, 65, 5, 6]
    groups = [order[size:][:size] for size in sizes]
    answers = Classification(learner, np.arange(len(pool)), learner.all)
    together = list(answers.classes_without_each(groups))
    assert len(together) == len(groups)
    for members, classes in zip(groups, together, strict=True):
        np.testing.assert_array_equal(classes, answers.classes_without(members))
    assert len({classes.tobytes() for classes in together}) > 1
    assert list(answers.classes_without_each([])) == []


def test_a_class_of_which_all_samples_are_forgotten_is_not_answered(pool: Pool) -> None:
    learner = learner_of(pool)
    everything = np.arange(len(pool))
    of_class = np.flatnonzero(pool.labels == 4)
    answers = Classification(learner, everything, learner.all)
    assert 4 in answers.classes()
    assert 4 not in answers.classes_without(of_class)
    assert set(answers.classes_without(everything).tolist()) == {-1}
