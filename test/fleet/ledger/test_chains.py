# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What counts of a chain whose last pack the roster names."""

from __future__ import annotations

import itertools

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.pack import encode, NO_PACK, Pack, Payload, seal
import pytest
from support.fleet_members import (
    embedding,
    MakeLedger,
    member,
    NOW_MS,
    robot_key,
    roster,
    sample_id,
    SPACE,
)

EPOCH = '0' * 16
KEY = robot_key(1)


def chain_with(*sequences: int) -> list[Pack]:
    """Return a chain of packs of one claim each, which have these sequence numbers."""
    packs: list[Pack] = []
    previous = NO_PACK
    for number, sequence in enumerate(sequences):
        claim = Claim(sample_id(number), 'mug', 'today', NOW_MS << 16, sequence)
        packs.append(seal(KEY, EPOCH, number, previous, SPACE, [claim]))
        previous = packs[-1].hash
    return packs


@pytest.mark.parametrize(
    ('sequences', 'received', 'counting'),
    [
        pytest.param((0, 1, 2), (0, 1, 2), 3, id='complete'),
        pytest.param((0, 1, 2), (1, 2), 0, id='the first one is missing'),
        pytest.param((0, 1, 2), (0, 1), 0, id='the head is missing'),
        pytest.param((0, 1, 2), (0, 2), 0, id='one between is missing'),
        pytest.param((0, 0), (1,), 0, id='as if it were the first one'),
        pytest.param((0, 5), (0, 1), 0, id='the sequence jumps'),
        pytest.param((3, 4), (0, 1), 0, id='the sequence does not begin at 0'),
    ],
)
def test_a_kept_chain_counts_only_if_it_leads_to_its_head(
    ledger_of: MakeLedger, sequences: tuple[int, ...], received: tuple[int, ...], counting: int
) -> None:
    packs = chain_with(*sequences)
    keep = {EPOCH: (packs[-1].number, packs[-1].hash)}
    for order in itertools.permutations(received):
        bob = ledger_of(2)
        bob.set_roster(roster([member(1, keep=keep)]))
        for number in order:
            payloads = {sample_id(number): Payload(embedding(number))}
            bob.receive(encode(packs[number], payloads))
        assert len(bob.evidence(own=False)) == counting
