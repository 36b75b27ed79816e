# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
What one poisoned robot of ten costs the others: ``python -m benchmarks.fleet.poison [--seeds 3]``.

Ten robots each teach some of 20 classes, in a place of their own where the set has several; the
last one teaches wrong labels in several ways, 'bulk' with more samples than all others together.
For one of the others, each line has the accuracy on views of all classes that nobody has trained
on: without that robot, with it and no defence, and with the judges, the cap and the gate, which
knows what was accepted before.  It also counts the wrong labels that were left out and the right
ones that were lost.  In four fleets, nobody teaches wrong labels: all are honest, 5 % of all
labels are mistakes, the last robot is the only teacher of a class, or it is in another place.

The last line is a JSON object: the mean and the worst change in points, of wrong labels against
the fleet without that robot, and else against a training on all samples.  The sets are those of
benchmarks.learning.session_sets.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from types import SimpleNamespace
from typing import Any

from benchmarks.fleet.taught_fleet import (
    claimed_labels,
    CLASSES,
    Fleet,
    fleet_of,
    places_in,
    POISONED,
    ROBOTS,
    VIEWS,
)
from benchmarks.learning.session_sets import session_sets, SessionSet
from benchmarks.shared.machine import machine
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence
from edgetpu_retrain.fleet.training.gate import pass_gate
from edgetpu_retrain.fleet.training.pool import Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.trust.trusted import trusted_samples
from edgetpu_retrain.fleet.training.trust.wrong_teachers import wrong_teachers
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.report.analysis.held_out import fit_rows
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np

SETS = ('grocery_lite0', 'office_lite0', 'sim_lite0', 'synthetic')
WRONG = ('random', 'half random', 'all swapped', 'two swapped', 'new class', 'bulk')
RIGHT = ('honest', 'noise', 'only teacher', 'another place')
_EXAMINED = (0, 3, 6)
_OPTIONS = TrainingOptions()


def main() -> None:
    """Measure all kinds of wrong labels on all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--sets', nargs='*', help='names of sets; default: all')
    arguments = parser.parse_args()
    sets = session_sets()
    wanted = arguments.sets or SETS
    if missing := [each for each in wanted if each not in sets]:
        parser.error(f'no set {missing[0]}; there are: {", ".join(sets)}')
    found = [
        each
        for name in wanted
        for seed in range(arguments.seeds)
        for each in measure(name, sets[name], seed)
    ]
    print(json.dumps({'machine': machine('numpy'), 'summary': summary(found)}))


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean and the least gain of accuracy, in points, by kind and group of sets."""
    result: dict[str, Any] = {}
    for kind in (*WRONG, *RIGHT):
        of_kind = [each for each in found if each['kind'] == kind]
        against = 'without' if kind in WRONG else 'undefended'
        result[kind] = {'against': against}
        for sets in (('grocery_lite0', 'sim_lite0'), ('office_lite0', 'synthetic')):
            some = [each for each in of_kind if each['set'] in sets]
            gains = [100 * (each['defended'] - each[against]) for each in some]
            if gains:
                mean_and_worst = [round(float(np.mean(gains)), 1), round(min(gains), 1)]
                result[kind][' '.join(sets)] = mean_and_worst
        gains = [100 * (each['defended'] - each[against]) for each in of_kind]
        result[kind] |= {
            'runs': len(of_kind),
            'more than a point lost': sum(gain < -1.0 for gain in gains),
            'robots left out': sum(len(each['robots_left_out']) for each in of_kind),
            'wrong left out': [
                sum(e['left_out'] for e in of_kind),
                sum(e['wrong'] for e in of_kind),
            ],
            'right lost': [sum(e['lost'] for e in of_kind), sum(e['right'] for e in of_kind)],
        }
    return result


def measure(name: str, data: SessionSet, seed: int) -> list[dict[str, Any]]:
    """Return the figures of a set and a seed, of each kind of labels."""
    results = []
    me = _EXAMINED[seed % len(_EXAMINED)]
    bases: dict[str, tuple[float, dict[bytes, str]]] = {}
    for kind in (*WRONG, *RIGHT):
        base = kind if kind in RIGHT else 'honest'
        if base not in bases:
            bases[base] = accepted_without(data, base, seed, me)
        without, accepted = bases[base]
        fleet = fleet_of(data, kind, seed)
        pool = pool_of(fleet, claimed_labels(fleet, kind, seed), me)
        trusted = trusted_samples(pool, _OPTIONS)
        names = [accepted.get(bytes(each), '') for each in pool.ids]
        known = [pool.names.index(each) if each in pool.names else UNCLAIMED for each in names]
        verdict = pass_gate(trusted, np.array(known), _OPTIONS)
        # A rejected head does not serve: the one that was accepted does.
        defended = without if verdict.reason else accuracy(fleet, trusted.pool, verdict.rows)
        wrong = truth_of(fleet, pool) != trusted.pool.labels
        out = np.ones(len(pool), bool)
        out[verdict.rows] = False
        found = wrong_teachers(pool, np.arange(len(pool)))
        result = {
            'set': name, 'seed': seed, 'kind': kind, 'robot': me, 'without': round(without, 4),
            'undefended': round(accuracy(fleet, pool, np.arange(len(pool))), 4),
            'defended': round(defended, 4), 'rejected': verdict.reason,
            'robots_left_out': [pool.keys[each] for each in np.unique(pool.origins[found])],
            'wrong': int(wrong.sum()), 'left_out': int((wrong & out).sum()),
            'right': int((~wrong).sum()), 'lost': int((~wrong & out).sum()),
        }  # fmt: skip
        print(json.dumps(result), flush=True)
        results.append(result)
    return results


def accepted_without(
    data: SessionSet, kind: str, seed: int, me: int
) -> tuple[float, dict[bytes, str]]:
    """Return the accuracy without the last robot, and the names of the accepted samples."""
    fleet = fleet_of(data, kind, seed)
    others = fleet.robots != POISONED
    claimed = claimed_labels(fleet, kind, seed)[others]
    fleet = fleet.part(others)
    pool = pool_of(fleet, claimed, me)
    trusted = trusted_samples(pool, _OPTIONS)
    rows = pass_gate(trusted, np.full(len(pool), UNCLAIMED), _OPTIONS).rows
    accepted = {bytes(pool.ids[row]): pool.names[trusted.pool.labels[row]] for row in rows}
    return accuracy(fleet, pool, rows), accepted


def pool_of(fleet: Fleet, claimed: IntArray, me: int) -> Pool:
    """Return the samples as a robot sees them; each robot has two recordings of a class."""
    raw = (fleet.data.rows.raw[fleet.rows].astype(np.int16) + fleet.noise).clip(0, 255)
    raw = raw.astype(np.uint8)
    ids = [hashlib.sha256(row.tobytes() + bytes([robot])).digest()
           for row, robot in zip(raw, fleet.robots.tolist(), strict=True)]  # fmt: skip
    names = [f'class {label:02d}' for label in claimed]
    # Counted within robot and class, so that a fleet without a robot has the same recordings.
    half = places_in(fleet.robots * CLASSES + fleet.labels) % VIEWS // (VIEWS // 2)
    recordings = [f'{label} {part}' for label, part in zip(fleet.labels, half, strict=True)]
    evidence = FleetEvidence(
        np.frombuffer(b''.join(ids), np.uint8).reshape(-1, 32), raw, names,
        [f'{robot}/{each}' for robot, each in zip(fleet.robots, recordings, strict=True)],
        [str(robot) for robot in fleet.robots], ['teach'] * len(names),
        np.arange(len(names), dtype=np.int64),
    )  # fmt: skip
    own: Any = {
        each: SimpleNamespace(label=label, recording=recording)
        for each, label, recording, robot in zip(ids, names, recordings, fleet.robots, strict=True)
        if robot == me
    }
    rows = fleet.data.rows
    return Pool.of(evidence, own, str(me), QuantizationParameters(rows.scale, rows.zero_point))


def truth_of(fleet: Fleet, pool: Pool) -> IntArray:
    """Return the true class of each sample of a pool, as a number of the pool, or -1."""
    true_pool = pool_of(fleet, fleet.labels, int(ROBOTS))
    known = {bytes(each): true_pool.names[label]
             for each, label in zip(true_pool.ids, true_pool.labels, strict=True)}  # fmt: skip
    numbers = {name: number for number, name in enumerate(pool.names)}
    return np.array([numbers.get(known[bytes(each)], -1) for each in pool.ids])


def accuracy(fleet: Fleet, pool: Pool, rows: IntArray) -> float:
    """Return the accuracy of a head that is trained on some samples."""
    lesson = pool.training_set(rows)
    head = fit_rows(lesson, np.arange(len(rows)), _OPTIONS)
    names = np.array(lesson.names)
    answers = names[head.predict(fleet.data.rows.floats(fleet.exam))]
    return float(np.mean(answers == [f'class {label:02d}' for label in fleet.truth]))


if __name__ == '__main__':
    main()
