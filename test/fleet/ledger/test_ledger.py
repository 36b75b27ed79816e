# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Claims on their way: written down, sealed, received by others."""

from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.pack import Payload
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
import numpy as np
import pytest
from support.fleet_members import (
    draft,
    embedding,
    MakeLedger,
    member,
    missing_packs,
    NOW_MS,
    relabel,
    robot_key,
    roster,
    sample_id,
    tombstone,
)


def test_two_members_with_the_same_packs_agree(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    everyone = roster([member(1), member(2, 'propose')])
    ada.claim([draft(value, 'cup') for value in range(5)])
    bob.claim([draft(7, 'dog'), relabel(3, 'mug')])
    for sender, receiver, number in ((ada, bob, 1), (bob, ada, 2)):
        (digest,) = sender.seal(robot_key(number))
        assert receiver.receive(sender.message(digest)).outcome == 'waiting'
    assert ada.set_roster(everyone)
    assert bob.set_roster(everyone)
    assert ada.dump() == bob.dump()
    assert ada.dump().count('\nlabel ') == 6
    assert len(ada.evidence(own=True)) == len(bob.evidence(own=False)) == 5
    evidence = bob.evidence(own=True)
    assert sorted(evidence.labels) == ['cup'] * 5 + ['dog']
    assert [bytes(each) for each in evidence.ids] == sorted(map(sample_id, [0, 1, 2, 3, 4, 7]))
    raw_of_seven = evidence.raw[evidence.labels.index('dog')]
    assert bytes(raw_of_seven) == embedding(7)


def test_what_is_sealed_is_not_sealed_again(ledger_of: MakeLedger) -> None:
    ada = ledger_of(1)
    ada.claim([draft(value, 'cup') for value in range(1001)])
    assert ada.unsealed_count == 1001
    assert len(ada.seal(robot_key(1))) == 2
    assert ada.unsealed_count == 0
    assert ada.seal(robot_key(1)) == []
    assert len(ada.own_claims()) == 1001


def test_what_no_hub_has_is_unpublished(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster([member(1)]))
    ada.claim([draft(value, 'cup') for value in range(3)])
    (digest,) = ada.seal(robot_key(1))
    ada.claim([draft(3, 'cup')])
    assert ada.unpublished_count == 4
    bob.receive(ada.message(digest))
    assert bob.unpublished_count == 0
    ada.hub('base').acknowledged(digest, 1)
    assert ada.unpublished_count == 1
    ada.hub('base').forget()
    assert ada.unpublished_count == 4


def test_a_pack_that_is_offered_again_is_known(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster([member(1)]))
    ada.claim([draft(1, 'cup')])
    (digest,) = ada.seal(robot_key(1))
    for outcome in ('accepted', 'known', 'known'):
        assert bob.receive(ada.message(digest), hub='base', sequence=3).outcome == outcome
    assert bob.message(digest) == ada.message(digest)
    assert missing_packs(bob, 'base') == []
    assert missing_packs(ada, 'base') == [digest]


def test_a_claim_that_could_not_be_sealed_is_rejected(ledger_of: MakeLedger) -> None:
    ada = ledger_of(1)
    with pytest.raises(PackError, match='reserved'):
        ada.claim([draft(1, 'cup'), draft(2, 'unknown')])
    assert ada.unsealed_count == 0


@pytest.mark.parametrize('number', [float('nan'), float('inf')])
def test_a_sample_that_others_would_reject_is_rejected(number: float) -> None:
    kind = EmbeddingKind(2, 'float32', None)
    space = EmbeddingSpace('b' * 64, kind, '')
    data = kind.to_disk(np.array([1, number], np.float32))
    with (
        Ledger(':memory:', space, me=robot_key(1).public) as ada,
        pytest.raises(PackError, match='not finite'),
    ):
        ada.claim([Draft(space.sample_id(data), 'cup', 'today', Payload(data))])


def test_an_erased_sample_that_is_taught_again_has_its_bytes(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster([member(1)]))
    for drafts, expected in (
        ([draft(1, 'cup'), draft(2, 'cup')], draft(1, 'cup').payload),
        ([tombstone(1, erased=True)], None),
        ([draft(1, 'cup')], draft(1, 'cup').payload),
    ):
        ada.claim(drafts)
        assert ada.payload(sample_id(1)) == expected
        for digest in ada.seal(robot_key(1)):
            bob.receive(ada.message(digest))
        assert ada.payload(sample_id(1)) == bob.payload(sample_id(1)) == expected
        assert bob.payload(sample_id(2)) is not None


def test_a_robot_whose_clock_was_set_back_knows_what_it_has_claimed_last(
    ledger_of: MakeLedger, tmp_path: Path
) -> None:
    path = tmp_path / 'fleet.db'
    with ledger_of(1, path, NOW_MS + 900_000) as ada:
        ada.claim([draft(1, 'cup')])
        ada.seal(robot_key(1))
    with ledger_of(1, path) as ada:
        for label in ('mug', 'hat'):
            ada.claim([draft(1, label)])
            assert ada.own_claims()[sample_id(1)].label == label
        ada.seal(robot_key(1))
        assert ada.own_claims()[sample_id(1)].label == 'hat'
