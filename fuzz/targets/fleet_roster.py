# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A roster of a fleet: any bytes, and any JSON that the fleet's own key signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.signed_message import sign_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.roster.roster_message import read, sign
from fuzz.json_mutation import mutate_json
from fuzz.target import each_of, MemoryBudget, MIB, Target

_FLEET = Key(bytes(32), 'account')
_MEMBER = Key(bytes(32), 'user').public
_EPOCH = '0123456789abcdef'


def _run(data: bytes, _folder: Path) -> None:
    each_of(
        lambda: read(data, _FLEET.public),
        lambda: _use(read(sign_message(data, _FLEET), _FLEET.public)),
    )


def _use(roster: Roster) -> None:
    """Ask the roster what robots ask it."""
    for member in (*roster.members, Member(_MEMBER, '', frozenset())):
        assert roster.role_of(member.key) in {'teach', 'propose', ''}
        roster.allows(member.key, 'daisy', 2**63 - 1)
    assert read(sign(roster, _FLEET), _FLEET.public) == roster


def _seeds() -> Iterator[bytes]:
    members = (
        Member(_MEMBER, 'station', frozenset({'read', 'teach', 'release'})),
        Member(
            Key(b'1' * 32, 'user').public,
            'robot 1',
            frozenset({'propose'}),
            ('daisy', 'rose*'),
            1_800_000_000_000,
            {_EPOCH: (5, bytes(32))},
            may_connect=False,
        ),
    )
    for roster in (
        Roster(_FLEET.public, 1, 0),
        Roster(_FLEET.public, 2, 1_800_000_000_000, members, frozenset({bytes(32), b'1' * 32})),
    ):
        yield sign(roster, _FLEET).partition(b'\n')[0]
        yield sign(roster, _FLEET)


TARGET = Target(run=_run, seeds=_seeds, mutate=mutate_json, memory=MemoryBudget(2 * MIB, 256))
