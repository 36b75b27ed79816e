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
from hypothesis import event, given, HealthCheck, settings
from hypothesis import strategies as st
from support import believed_claims
from support.fleet_members import roster
from support.simulated_fleet import Robot, SimulatedFleet

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
NUMBERS = st.integers(0, 99)
STEPS = st.tuples(st.sampled_from(KINDS), NUMBERS, NUMBERS, NUMBERS)
PHASES = st.tuples(st.integers(0, 2 ** (ROBOTS * HUBS) - 1), st.lists(STEPS, max_size=10))
RUNS = st.lists(PHASES, min_size=PARTITIONS, max_size=PARTITIONS)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(run=RUNS, max_waiting=st.sampled_from([1, 3, 1000]))
def test_all_members_agree_after_any_run(
    run: list[tuple[int, list[tuple[str, int, int, int]]]], max_waiting: int
) -> None:
    # Random epochs would let the same run end differently.
    epochs: Iterator[int] = itertools.count(1)
    with (
        patch('secrets.token_hex', lambda _: f'{next(epochs):016x}'),
        patch.object(receiving, 'MAX_WAITING_PACKS', max_waiting),
    ):
        fleet = SimulatedFleet(ROBOTS, HUBS)
        fleet.robots[0].ledger.set_roster(roster(fleet.members.values(), version=0))
        for cuts, steps in run:
            fleet.partition(cuts)
            for step in steps:
                fleet.step(*step)
        fleet.heal(MAX_ROUNDS)
        for outcome in fleet.outcomes:
            event(outcome)
        check(fleet)


def check(fleet: SimulatedFleet) -> None:
    """Assert that all robots agree with each other and with the rules, and nothing is lost."""
    station = fleet.robots[0]
    current = station.ledger.roster
    assert current is not None
    expected = station.ledger.dump()
    packs = packs_of(station)
    labels = believed_claims.labels(packs, current, fleet.now_ms)
    resolved = {
        f"label {sample.hex()} '{label}' {key} {role}"
        for sample, (label, key, role) in labels.items()
    }
    assert {
        ' '.join((*words[:3], *words[4:]))
        for line in expected.splitlines()
        if (words := line.split())[0] == 'label'
    } == resolved
    believed = {
        pack.hash
        for pack in packs
        if (member := current.member(pack.origin)) is not None
        and current.role_of(pack.origin)
        and (member.keep is None or pack.number <= member.keep.get(pack.epoch, (-1, b''))[0])
    }
    for robot in fleet.robots:
        assert robot.ledger.dump() == expected
        held = {pack.hash for pack in packs_of(robot)}
        assert {digest for digest in fleet.acknowledged if digest in believed} <= held
        assert not robot.ledger.unsealed_count
        evidence = robot.ledger.evidence(own=False)
        assert set(evidence.labels) <= set('abcd')


def packs_of(robot: Robot) -> list[Pack]:
    """Return all packs in a robot's ledger."""
    connection = robot.ledger._database._connection
    return list(
        itertools.starmap(
            Pack.from_manifest, connection.execute('SELECT manifest, signature FROM packs')
        )
    )
