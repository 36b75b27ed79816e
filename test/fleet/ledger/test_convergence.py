# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Ten robots, everything that can go wrong, and the same state on all of them in the end.

``FLEET_EXAMPLES=1000`` tries more runs than the suite does.
"""

from __future__ import annotations

from collections.abc import Iterator
import itertools
import os
from unittest.mock import patch

from edgetpu_retrain.fleet.evidence.pack import Pack
from edgetpu_retrain.fleet.ledger import receiving
from hypothesis import event, example, given, HealthCheck, settings
from hypothesis import strategies as st
from support import believed_claims
from support.simulated_fleet import SimulatedFleet
from support.simulated_robot import Robot

EXAMPLES = int(os.environ.get('FLEET_EXAMPLES', '12'))
ROBOTS, PARTITIONS, HUBS = 10, 20, 2
MAX_ROUNDS = 30

# Often what happens often.
KINDS = (
    *['teach'] * 6,
    *['synchronize'] * 10,
    *['answer'] * 3,
    *['remove'] * 2,
    *['hostile'] * 2,
    *['backup'] * 2,
    *['roster'] * 2,
    *['restore'] * 2,
    'clone',
    'hub_backup',
    'hub_restore',
    'hub_loss',
)
# Without faults of hubs and copied disks, no two packs of a key may have the same number.
HARMLESS_KINDS = tuple(
    kind for kind in KINDS if not kind.startswith('hub_') and kind not in ('clone', 'hostile')
)
Run = list[tuple[int, list[tuple[str, int, int, int]]]]
MANY = 100
FEW_OR_MANY = st.sampled_from([1, 3, 1000])


# Packs that the roster keeps were refused, because kept packs after a fork filled the limit.
KEPT_CHAINS_OF_A_COPIED_KEY: Run = [
    (0, [('teach', 85, 58, 75), ('answer', 85, 31, 79)]),
    (0, [('teach', 5, 30, 0), ('answer', 5, 97, 90)]),
    (0, [('clone', 25, 43, 31), ('restore', 15, 0, 0), ('clone', 88, 0, 0), ('roster', 55, 7, 0)]),
    (0, [('hub_restore', 0, 0, 0)]),
]


def runs(kinds: tuple[str, ...]) -> st.SearchStrategy[Run]:
    """Return runs of :data:`PARTITIONS` partitions, with up to ten steps in each."""
    numbers = st.integers(0, 99)
    steps = st.tuples(st.sampled_from(kinds), numbers, numbers, numbers)
    phases = st.tuples(st.integers(0, 2 ** (ROBOTS * HUBS) - 1), st.lists(steps, max_size=10))
    return st.lists(phases, min_size=PARTITIONS, max_size=PARTITIONS)


def fleet_after(run: Run, num_hubs: int, max_waiting: int) -> SimulatedFleet:
    """Return a fleet after a run, when everything is connected again."""
    epochs: Iterator[int] = itertools.count(1)
    with (
        # Random epochs would let the same run end differently.
        patch('secrets.token_hex', lambda _: f'{next(epochs):016x}'),
        patch.object(receiving, 'MAX_WAITING_PACKS', max_waiting),
    ):
        fleet = SimulatedFleet(ROBOTS, num_hubs)
        for cuts, steps in run:
            fleet.partition(cuts)
            for step in steps:
                fleet.step(*step)
        fleet.heal(MAX_ROUNDS)
    for outcome in fleet.outcomes:
        event(outcome)
    return fleet


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=runs(KINDS), max_waiting=FEW_OR_MANY)
@example(run=KEPT_CHAINS_OF_A_COPIED_KEY, max_waiting=1)
def test_all_members_agree_after_any_run(run: Run, max_waiting: int) -> None:
    check(fleet_after(run, HUBS, max_waiting), max_waiting)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=runs(HARMLESS_KINDS), max_waiting=FEW_OR_MANY)
def test_a_restored_robot_makes_no_fork(run: Run, max_waiting: int) -> None:
    fleet = fleet_after(run, 1, max_waiting)
    check(fleet, max_waiting)
    for robot in fleet.robots:
        packs = packs_of(robot)
        places = {(pack.origin, pack.epoch, pack.number) for pack in packs}
        assert len(places) == len(packs)


def check(fleet: SimulatedFleet, max_waiting: int) -> None:
    """Assert that all robots agree with each other and with the rules, and nothing is lost."""
    station = fleet.robots[0]
    current = station.ledger.roster
    assert current is not None
    expected = station.ledger.dump()
    packs = packs_of(station)
    assert labels_in(expected) == believed_claims.labels(packs, current, fleet.now_ms)
    counted = {pack.hash for pack in believed_claims.counted_packs(packs, current)}
    stored = fleet.acknowledged & counted
    if max_waiting > MANY:
        # Also those that are quarantined, of which there is no limit now.
        accepted = {pack.hash for pack in packs if believed_claims.is_accepted(pack, current)}
        stored = fleet.acknowledged & accepted
    for robot in fleet.robots:
        assert robot.ledger.dump() == expected
        assert stored <= {pack.hash for pack in packs_of(robot)}
        assert not robot.ledger.unsealed_count
        # Who erases an own sample has no bytes of it, even if the roster lets nobody else obey.
        erased = erased_samples(robot) | erased_samples(station)
        assert trained_on(robot, erased) == trained_on(station, erased)


def labels_in(dump: str) -> dict[bytes, tuple[str, str, str]]:
    """Return label, key and role of each sample in a dump."""
    lines = [line.split() for line in dump.splitlines() if line.startswith('label ')]
    return {
        bytes.fromhex(sample): (label.strip("'"), key, role)
        for _, sample, label, _, key, role in lines
    }


def trained_on(robot: Robot, erased: set[bytes]) -> set[tuple[bytes, bytes, str, str]]:
    """Return id, embedding, label and recording of the samples that every robot trains on."""
    evidence = robot.ledger.evidence(own=False)
    ids, raw = map(bytes, evidence.ids), map(bytes, evidence.raw)
    rows = zip(ids, raw, evidence.labels, evidence.recordings, strict=True)
    return {row for row in rows if row[0] not in erased}


def erased_samples(robot: Robot) -> set[bytes]:
    """Return the ids of the samples that a robot has erased."""
    connection = robot.ledger._database._connection
    return {sample for (sample,) in connection.execute('SELECT sample FROM samples WHERE erased')}


def packs_of(robot: Robot) -> list[Pack]:
    """Return all packs in a robot's ledger."""
    connection = robot.ledger._database._connection
    return list(
        itertools.starmap(
            Pack.from_manifest, connection.execute('SELECT manifest, signature FROM packs')
        )
    )
