# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The limits of the figures on other days."""

from __future__ import annotations

import math

from benchmarks.learning import session_goals
from benchmarks.learning.session_goals import Figures, Goal, goals
from benchmarks.learning.sessions import TASKS
import pytest

EARLIER = Figures(right=80.0, overclaimed=12.0, calibration=0.09, rejected=30.0)


@pytest.fixture(autouse=True)
def _earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(session_goals.EARLIER, 'task', EARLIER)


def limits(found: list[Goal]) -> dict[str, float]:
    """Return the limit of each figure."""
    return {goal.name.removeprefix('task: '): goal.limit for goal in found}


def test_accuracy_may_not_fall() -> None:
    for days in ('exam_day_taught', 'other_days_taught', 'one_recording'):
        goal = goals('task', days, EARLIER)[0]
        assert goal.limit == pytest.approx(79.7)
        assert goal.reached
        assert not Goal(goal.name, 79.6, goal.limit, at_least=True).reached


def test_limits_with_the_day_of_the_exam_are_absolute() -> None:
    assert limits(goals('task', 'exam_day_taught', EARLIER)[1:]) == {
        'known called unknown %': 15.0,
        'claimed less real accuracy': 10.0,
    }


def test_limits_without_the_day_of_the_exam_are_two_thirds() -> None:
    assert limits(goals('task', 'other_days_taught', EARLIER)[1:]) == {
        'known called unknown %': pytest.approx(20.0),
        'calibration error': pytest.approx(0.06),
        'claimed less real accuracy': 12.0,
    }


def test_limits_with_one_recording_are_the_earlier_errors() -> None:
    found = goals('task', 'one_recording', EARLIER)
    assert all(goal.reached for goal in found)
    assert limits(found[1:]) == {
        'known called unknown %': 30.0,
        'calibration error': 0.09,
        'claimed less real accuracy': 12.0,
    }


def test_what_was_not_measured_reaches_no_limit() -> None:
    assert not Goal('figure', math.nan, 1.0).reached
    assert not any(goal.reached for goal in goals('new task', 'one_recording', EARLIER))


def test_a_missed_limit_is_printed_as_such() -> None:
    assert Goal('error', 0.07, 0.06).cells() == ('error', '0.070', '<= 0.060', '**no**')
    assert Goal('accuracy', 81.0, 80.0, at_least=True).cells()[3] == 'yes'


def test_every_task_has_an_earlier_figure() -> None:
    assert {str(task) for task in TASKS} <= set(session_goals.EARLIER)
