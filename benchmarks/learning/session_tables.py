# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Prints how ``fit`` does in sessions that it was not taught in, and which limits the figures reach.

    python -m benchmarks.learning.session_tables

A part of ``make bench``.  The last line is a JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
from typing import Any

from benchmarks.learning.rivals import RIVALS
from benchmarks.learning.session_goals import EARLIER, Figures, Goal, goals, ROOM
from benchmarks.learning.session_sets import joined, session_sets, SessionSet
from benchmarks.learning.sessions import (
    Days,
    Outcome,
    outcome,
    SEEDS,
    SessionTask,
    strangers,
    TASKS,
)
from benchmarks.learning.tasks import flat_spectrum, quantized
from benchmarks.shared.tables import print_row
import numpy as np
from threadpoolctl import threadpool_limits

_MANY_CLASSES = 104
_STRANGERS_FOUND = 80.0
# Share (%) of other groceries that the fit of commit bdb1903 called unknown.
_NEAR_FOUND = {'grocery A(20) -> B': 33.5}
_SAME_AS_FLOAT, _MOST_TIES = 99.2, 0.1
_FLAT_SAMPLES, _FLAT_ROOM = (400, 1000, 10_000), 0.5

_TITLES: dict[Days, str] = {
    'exam_day_taught': "two or more recordings taught, the exam's day among them",
    'other_days_taught': "two recordings taught, the exam's day not among them",
    'one_recording': 'one recording taught',
}


def main() -> None:
    """Run all tasks and print their figures."""
    with threadpool_limits(1):
        print(json.dumps(print_sessions()))


def print_sessions() -> dict[str, Any]:
    """Print all tables, and return the means of all figures and the goals."""
    sets = session_sets()
    tasks = [task for task in TASKS if task.data in sets]
    outcomes = {
        str(task): [outcome(task, sets[task.data], seed) for seed in range(SEEDS)]
        for task in tasks
    }
    reached: list[Goal] = []
    for days, title in _TITLES.items():
        of_these = [task for task in tasks if task.days == days]
        reached += _print_days(title, of_these, outcomes)
    _print_accuracies(outcomes)
    reached += _print_strangers(sets)
    for name, least in _NEAR_FOUND.items():
        if name in outcomes:
            found = _mean([each.near_found for each in outcomes[name]])
            reached.append(Goal(f'{name}: other groceries found %', found, least, at_least=True))
    reached += _many_classes(sets) + _flat_spectra()
    _title('limits', 'figure', 'measured', 'limit', 'reached')
    for goal in reached:
        print_row(*goal.cells())
    return {goal.name: [goal.measured, goal.limit, goal.reached] for goal in reached}


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """Return the means over the seeds of a task."""
    return Figures(
        _mean([each.right for each in outcomes]),
        _mean([each.overclaimed for each in outcomes]),
        _mean([each.calibration for each in outcomes]),
        _mean([each.rejected for each in outcomes]),
    )


def _print_days(
    title: str, tasks: Sequence[SessionTask], outcomes: Mapping[str, list[Outcome]]
) -> list[Goal]:
    found = []
    columns = ('accuracy %', 'claimed %', 'calibration error', 'known called unknown %')
    _title(title, 'taught -> exam', *columns, 'other classes called unknown %', 'warned')
    for task in tasks:
        seeds = outcomes[str(task)]
        print_row(
            str(task),
            spread([each.right for each in seeds]),
            spread([each.claimed for each in seeds]),
            spread([each.calibration for each in seeds], 3),
            spread([each.rejected for each in seeds]),
            spread([each.near_found for each in seeds]),
            'yes' if all(each.warned for each in seeds) else 'no',
        )
        found += goals(str(task), task.days, figures(seeds))
        if task.days == 'one_recording':
            warned = 100.0 * _mean([each.warned for each in seeds])
            found.append(Goal(f'{task}: warned %', warned, 100.0, at_least=True))
    return found


def _print_accuracies(outcomes: Mapping[str, list[Outcome]]) -> None:
    """Print the accuracies of fit beside those of its rivals and of the earlier fit."""
    title = f'accuracy % (limit: {ROOM} below the earlier fit)'
    _title(title, 'taught -> exam', 'fit', 'earlier fit', *RIVALS)
    for name, seeds in outcomes.items():
        earlier = f'{EARLIER[name].right:.1f}' if name in EARLIER else '-'
        rivals = (spread([each.rivals[rival] for each in seeds]) for rival in RIVALS)
        print_row(name, spread([each.right for each in seeds]), earlier, *rivals)
    everything = [each for seeds in outcomes.values() for each in seeds]
    means = (f'{_mean([each.rivals[rival] for each in everything]):.2f}' for rival in RIVALS)
    before = f'{_mean([EARLIER[name].right for name in outcomes if name in EARLIER]):.2f}'
    print_row('mean', f'{_mean([each.right for each in everything]):.2f}', before, *means)


def _print_strangers(sets: Mapping[str, SessionSet]) -> list[Goal]:
    data, strange = sets.get('grocery_lite0'), sets.get('imagenet_lite0')
    if data is None or strange is None:
        return []
    title = 'photographs of other things, beside six classes, one with five times the samples'
    _title(title, 'the large class', 'called unknown %', 'known called unknown %')
    goals_found = []
    for kinds, name in ((1, 'of one product'), (5, 'of five products')):
        shares = [strangers(data, strange, seed, kinds=kinds) for seed in range(SEEDS)]
        found, known = zip(*shares, strict=True)
        print_row(name, spread(found), spread(known))
        figure = f'large class {name}: strangers called unknown %'
        goals_found.append(Goal(figure, _mean(found), _STRANGERS_FOUND, at_least=True))
    return goals_found


def _many_classes(sets: Mapping[str, SessionSet]) -> list[Goal]:
    """Compare the served scores of 104 classes with those of the float head."""
    _title(f'{_MANY_CLASSES} classes, once quantized', 'set', 'figures, %')
    real = [sets[name] for name in ('grocery_lite0', 'sim_lite0') if name in sets]
    goals_found = []
    for parts in (real, [sets['synthetic']]):
        if not parts:
            continue
        data = joined(parts, _MANY_CLASSES)
        shares = quantized(data)
        print_row(data.name, ', '.join(f'{name} {share:.2f}' for name, share in shares.items()))
        for kind in ('uint8', 'int8'):
            served, ties = shares[f'{kind}_served'], shares[f'{kind}_served_ties']
            name = f'{data.name}, {_MANY_CLASSES} classes, {kind}'
            goals_found.append(
                Goal(f'{name}: same class %', served, _SAME_AS_FLOAT, at_least=True)
            )
            goals_found.append(Goal(f'{name}: ties %', ties, _MOST_TIES))
    return goals_found


def _flat_spectra() -> list[Goal]:
    _title('flat spectrum, accuracy %', 'samples', 'fit', 'logistic regression, C = 0.1')
    found = []
    for samples in _FLAT_SAMPLES:
        shares = flat_spectrum(samples)
        ours, theirs = shares['fit'], shares['logistic_regression_C0.1']
        print_row(str(samples), f'{ours:.2f}', f'{theirs:.2f}')
        limit = theirs - _FLAT_ROOM
        found.append(Goal(f'flat spectrum, {samples} samples %', ours, limit, at_least=True))
    return found


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return mean and standard deviation as text."""
    return f'{_mean(values):.{digits}f} +- {float(np.std(values)):.{digits}f}'


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float('nan')


def _title(title: str, *columns: str) -> None:
    print(f'\n{title}\n')
    print_row(*columns)
    print_row(*['---'] * len(columns))


if __name__ == '__main__':
    main()
