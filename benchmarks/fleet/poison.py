# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
What one poisoned robot of ten costs the others: ``python -m benchmarks.fleet.poison [--seeds 3]``.

Ten robots each teach some of 20 classes, in a place of their own where the set has several; the
last one teaches wrong labels in several ways, 'bulk' with more samples than all others together.
For one of the others, each line has the accuracy on views of all classes that nobody has trained
on: without that robot, with it and no defence, and with the judges, the cap and the gate, which
knows what was accepted before.  It also counts the wrong labels that were left out and the right
ones that were lost.  The last line is a JSON object.  The sets are those of
benchmarks.learning.session_sets.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import hashlib
import json
from types import SimpleNamespace
from typing import Any

from benchmarks.learning.session_sets import session_sets, SessionSet
from benchmarks.shared.machine import machine
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence
from edgetpu_retrain.fleet.training.gate import pass_gate
from edgetpu_retrain.fleet.training.pool import Pool, UNCLAIMED
from edgetpu_retrain.fleet.training.trust.trusted import trusted_samples
from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.report.analysis.held_out import fit_rows
from edgetpu_retrain.training_options import TrainingOptions
import numpy as np
import numpy.typing as npt

ROBOTS, POISONED, CLASSES = 10, 9, 20
SETS = ('grocery_lite0', 'office_lite0', 'sim_lite0', 'synthetic')
KINDS = ('honest', 'random', 'half random', 'all swapped', 'two swapped', 'new class', 'bulk')
_TEACHERS, _VIEWS, _FEWEST = 5, 12, 20
_EXAMINED = (0, 3, 6)
_COPIES = 20
_OPTIONS = TrainingOptions()


@dataclass(frozen=True, eq=False)
class Fleet:
    """
    What the robots have, and views that nobody has trained on.

    Args:
        data: the set.
        rows: int64 ``[N]``, rows of the set.
        labels: int64 ``[N]``, their true classes, 0 to CLASSES - 1.
        robots: int64 ``[N]``, who has taken them.
        noise: int16 ``[N, D]``, what is added to the embeddings.
        exam: int64 ``[E]``, rows of the views.
        truth: int64 ``[E]``, their classes.
    """

    data: SessionSet
    rows: IntArray
    labels: IntArray
    robots: IntArray
    noise: npt.NDArray[np.int16]
    exam: IntArray
    truth: IntArray

    def part(self, chosen: npt.NDArray[np.bool_]) -> Fleet:
        """Return the fleet with some of its samples."""
        return Fleet(
            self.data, self.rows[chosen], self.labels[chosen], self.robots[chosen],
            self.noise[chosen], self.exam, self.truth,
        )  # fmt: skip


def main() -> None:
    """Measure all kinds of wrong labels on all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--sets', nargs='*', help='names of sets; default: all')
    arguments = parser.parse_args()
    found = []
    for name, data in session_sets().items():
        if name in (arguments.sets or SETS):
            for seed in range(arguments.seeds):
                found += measure(name, data, seed)
    print(json.dumps({'machine': machine('numpy'), 'summary': summary(found)}))


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean and the largest fall of accuracy, in points, by kind of wrong labels."""
    result = {}
    for kind in KINDS:
        some = [each for each in found if each['kind'] == kind]
        falls = [100 * (each['without'] - each['defended']) for each in some]
        open_falls = [100 * (each['without'] - each['undefended']) for each in some]
        result[kind] = {
            'runs': len(some),
            'undefended': [round(float(np.mean(open_falls)), 2), round(max(open_falls), 2)],
            'defended': [round(float(np.mean(falls)), 2), round(max(falls), 2)],
            'more than a point': sum(fall > 1.0 for fall in falls),
            'wrong left out': [sum(e['left_out'] for e in some), sum(e['wrong'] for e in some)],
            'right lost': [sum(e['lost'] for e in some), sum(e['right'] for e in some)],
        }
    return result


def measure(name: str, data: SessionSet, seed: int) -> list[dict[str, Any]]:
    """Return the figures of a set and a seed, of each kind of wrong labels and examined robot."""
    results = []
    me = _EXAMINED[seed % len(_EXAMINED)]
    clean = make_fleet(data, np.random.default_rng(seed), bulk=False)
    clean = clean.part(clean.robots != POISONED)
    before = pool_of(clean, clean.labels, me)
    trusted = trusted_samples(before, _OPTIONS)
    first = pass_gate(trusted, np.full(len(before), UNCLAIMED), _OPTIONS).rows
    accepted = {bytes(before.ids[row]): before.names[trusted.pool.labels[row]] for row in first}
    without = accuracy(clean, before, first)
    for kind in KINDS:
        fleet = make_fleet(data, np.random.default_rng(seed), bulk=kind == 'bulk')
        claimed = wrong_labels(fleet, kind, np.random.default_rng(seed))
        pool = pool_of(fleet, claimed, me)
        trusted = trusted_samples(pool, _OPTIONS)
        names = [accepted.get(bytes(each), '') for each in pool.ids]
        known = [pool.names.index(each) if each else UNCLAIMED for each in names]
        verdict = pass_gate(trusted, np.array(known), _OPTIONS)
        # A rejected head does not serve: the one that was accepted does.
        defended = without if verdict.reason else accuracy(fleet, trusted.pool, verdict.rows)
        wrong = truth_of(fleet, pool) != trusted.pool.labels
        out = np.ones(len(pool), bool)
        out[verdict.rows] = False
        result = {
            'set': name, 'seed': seed, 'kind': kind, 'robot': me, 'without': round(without, 4),
            'undefended': round(accuracy(fleet, pool, np.arange(len(pool))), 4),
            'defended': round(defended, 4), 'rejected': verdict.reason,
            'wrong': int(wrong.sum()), 'left_out': int((wrong & out).sum()),
            'right': int((~wrong).sum()), 'lost': int((~wrong & out).sum()),
        }  # fmt: skip
        print(json.dumps(result), flush=True)
        results.append(result)
    return results


def make_fleet(data: SessionSet, rng: np.random.Generator, *, bulk: bool) -> Fleet:
    """Let robots teach classes; with ``bulk``, the last one has more samples than all others."""
    sessions = np.unique(data.session[data.rows.labels >= 0])
    if data.rows.name.startswith('grocery'):
        # B is the other visits, on which nobody trains.
        places, exam_places = ['A'], ['B']
    else:
        places = exam_places = [str(each) for each in sessions if len(str(each)) == 1] or [
            str(each) for each in sessions
        ]
    labels = data.rows.labels
    enough = [
        label
        for label in np.unique(labels[labels >= 0])
        if min(np.sum((labels == label) & (data.session == place)) for place in places)
        >= (_FEWEST if len(places) == 1 else _VIEWS // 2)
    ]
    rows: list[int] = []
    classes: list[int] = []
    robots: list[int] = []
    exam: list[int] = []
    truth: list[int] = []
    for number, label in enumerate(rng.permutation(enough)[:CLASSES]):
        left = {}
        for place in sorted({*places, *exam_places}):
            members = rng.permutation(np.flatnonzero((labels == label) & (data.session == place)))
            cut = len(members) if place not in places else max(3, len(members) // 4)
            cut = cut if place in exam_places else 0
            exam += members[:cut].tolist()
            truth += [number] * cut
            left[place] = members[cut:].tolist()
        for robot in rng.permutation(ROBOTS)[:_TEACHERS]:
            place = places[robot % len(places)]
            taken, left[place] = left[place][:_VIEWS], left[place][_VIEWS:]
            rows += taken
            classes += [number] * len(taken)
            robots += [int(robot)] * len(taken)
    index = np.array(rows)
    who, noise = np.array(robots), np.zeros((len(index), data.rows.raw.shape[1]), np.int16)
    what = np.array(classes)
    if bulk:
        own = np.flatnonzero(who == POISONED)
        more = np.tile(own, _COPIES)
        extra = rng.integers(-6, 7, (len(more), noise.shape[1]), dtype=np.int16)
        index, what, who = (np.concatenate([each, each[more]]) for each in (index, what, who))
        noise = np.concatenate([noise, extra])
    return Fleet(data, index, what, who, noise, np.array(exam), np.array(truth))


def wrong_labels(fleet: Fleet, kind: str, rng: np.random.Generator) -> IntArray:
    """Return what is claimed, int64 ``[N]``; CLASSES is a class that nobody else teaches."""
    claimed = fleet.labels.copy()
    own = np.flatnonzero(fleet.robots == POISONED)
    known = np.unique(claimed[own])
    if kind in ('random', 'half random'):
        some = own if kind == 'random' else rng.permutation(own)[: len(own) // 2]
        claimed[some] = rng.integers(0, CLASSES, len(some))
    elif kind in ('all swapped', 'bulk'):
        following = dict(zip(known.tolist(), np.roll(known, 1).tolist(), strict=True))
        claimed[own] = [following[int(label)] for label in claimed[own]]
    elif kind == 'two swapped' and len(known) > 1:
        one, other = known[:2]
        claimed[own] = np.where(
            claimed[own] == one, other, np.where(claimed[own] == other, one, claimed[own])
        )
    elif kind == 'new class':
        claimed[own] = CLASSES
    return claimed


def pool_of(fleet: Fleet, claimed: IntArray, me: int) -> Pool:
    """Return the samples as a robot sees them; each robot has two recordings of a class."""
    raw = (fleet.data.rows.raw[fleet.rows].astype(np.int16) + fleet.noise).clip(0, 255)
    raw = raw.astype(np.uint8)
    ids = [hashlib.sha256(row.tobytes() + bytes([robot])).digest()
           for row, robot in zip(raw, fleet.robots.tolist(), strict=True)]  # fmt: skip
    names = [f'class {label:02d}' for label in claimed]
    # Counted within robot and class, so that a fleet without a robot has the same recordings.
    half = _places(fleet.robots * CLASSES + fleet.labels) % _VIEWS // (_VIEWS // 2)
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


def _places(groups: IntArray) -> IntArray:
    """Return the place of each row among those of its group, int64 ``[N]``."""
    places = np.empty(len(groups), np.int64)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        places[members] = np.arange(len(members))
    return places


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
