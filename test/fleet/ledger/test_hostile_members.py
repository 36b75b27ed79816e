# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A member that signs what it should not: all others still agree, and lose nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
import itertools
import random
from typing import Any

from edgetpu_retrain.errors import RosterError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import encode, NO_PACK, Pack, Payload, seal
from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.ledger import receiving
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.overview import Quarantined
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
import pytest
from support.fleet_members import (
    draft,
    embedding,
    FLEET,
    MakeLedger,
    member,
    NOW_MS,
    relabel,
    robot_key,
    roster,
    sample_id,
    SPACE,
    tombstone,
)

EPOCH, OTHER_EPOCH = '0' * 16, '1' * 16
MALLORY = robot_key(66)
TEACHER = Member(MALLORY.public, 'mallory', frozenset({'teach'}))


def packs(
    values: Iterable[int],
    *,
    epoch: str = EPOCH,
    key: Key = MALLORY,
    label: str = 'mug',
    after: Pack | None = None,
    clock: int = NOW_MS << 16,
    sequence: int | None = None,
) -> list[Pack]:
    """Return a chain of packs with a claim each."""
    chain: list[Pack] = []
    for value in values:
        number, previous = (0, NO_PACK) if after is None else (after.number + 1, after.hash)
        place = number if sequence is None else sequence
        claim = Claim(sample_id(value), label, 'today', clock, place)
        after = seal(key, epoch, number, previous, SPACE, [claim])
        chain.append(after)
    return chain


def message(pack: Pack) -> bytes:
    """Return a pack with the bytes of its sample."""
    found = {sample_id(value): Payload(embedding(value)) for value in range(300)}
    return encode(pack, found)


def labels(ledger: Ledger) -> list[str]:
    """Return the values of the samples that count, and their labels."""
    names = {sample_id(value): str(value) for value in range(300)}
    evidence = ledger.evidence(own=False)
    ids = (names[bytes(each)] for each in evidence.ids)
    return sorted(f'{value} {label}' for value, label in zip(ids, evidence.labels, strict=True))


def outcomes_of(ledger: Ledger) -> dict[tuple[str, str, str], int]:
    """Return how many packs do not count, by key, epoch and outcome."""
    counts = Counter[tuple[str, str, str]]()
    for each in ledger.quarantine():
        counts[each.key, each.epoch, each.outcome] += each.packs
    return counts


def test_two_histories_of_a_key_count_up_to_their_fork_in_any_order(
    ledger_of: MakeLedger,
) -> None:
    first = packs([0, 1, 2])
    second = packs([11, 12], after=first[0])
    dumps = set()
    for order in itertools.permutations(first + second):
        bob = ledger_of(2)
        bob.set_roster(roster([TEACHER]))
        for pack in order:
            bob.receive(message(pack))
        assert labels(bob) == ['0 mug']
        assert bob.quarantine() == [
            Quarantined(
                MALLORY.public, EPOCH, 'quarantined', 'two packs of its key have the number 1', 4
            )
        ]
        dumps.add(bob.dump())
    assert len(dumps) == 1


def test_a_revoked_key_cannot_take_back_what_was_kept(ledger_of: MakeLedger) -> None:
    kept = packs([0, 1, 2])
    late = packs([10, 11, 12, 13], label='cat')
    head = kept[1]
    revoked = replace(TEACHER, keep={EPOCH: (1, head.hash)})
    for order in (kept + late, late + kept):
        bob = ledger_of(2)
        bob.set_roster(roster([revoked]))
        for pack in order:
            bob.receive(message(pack))
        bob.receive(message(packs([20], epoch=OTHER_EPOCH)[0]))
        assert labels(bob) == ['0 mug', '1 mug']


def test_packs_that_a_revoked_key_signed_besides_those_kept_are_excluded(
    ledger_of: MakeLedger,
) -> None:
    kept, branch = packs([0, 1, 2]), packs([10, 11, 12, 13], label='cat')
    other_epoch = packs([20], epoch=OTHER_EPOCH)
    stranger = packs([30], key=robot_key(67))
    bob = ledger_of(2)
    bob.set_roster(roster([TEACHER]))
    for pack in [*branch, *other_epoch, *kept[1:], *stranger]:
        bob.receive(message(pack))
    revoked = replace(TEACHER, keep={EPOCH: (1, kept[1].hash)}, may_connect=False)
    bob.set_roster(roster([revoked], version=2))
    assert outcomes_of(bob) == {
        (MALLORY.public, EPOCH, 'waiting'): 3,  # A pack that is kept is missing.
        (MALLORY.public, EPOCH, 'excluded'): 3,
        (MALLORY.public, OTHER_EPOCH, 'excluded'): 1,
        (robot_key(67).public, EPOCH, 'waiting'): 1,
    }
    assert bob.receive(message(kept[0])).outcome == 'accepted'
    assert labels(bob) == ['0 mug', '1 mug']
    assert outcomes_of(bob) == {
        (MALLORY.public, EPOCH, 'excluded'): 5,
        (MALLORY.public, OTHER_EPOCH, 'excluded'): 1,
        (robot_key(67).public, EPOCH, 'waiting'): 1,
    }


def test_an_epoch_belongs_to_its_key(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster([member(1), TEACHER]))
    ada.claim([draft(1, 'cup')])
    (digest,) = ada.seal(robot_key(1))
    bob.receive(message(packs([50], epoch=ada.epoch)[0]))
    bob.receive(ada.message(digest))
    assert labels(bob) == ['1 cup', '50 mug']
    # Nor does a robot believe that others' packs are its own history.
    ada.receive(message(packs([51], epoch=ada.epoch)[0]))
    epoch = ada.epoch
    ada.claim([draft(2, 'cup')])
    ada.seal(robot_key(1))
    assert ada.epoch == epoch


@pytest.mark.parametrize('sequence', [0, 2, 2**52])
def test_a_chain_ends_where_its_sequence_jumps(ledger_of: MakeLedger, sequence: int) -> None:
    first = packs([0])
    second = packs([1], after=first[0], sequence=sequence)
    third = packs([2], after=second[0])
    for order in itertools.permutations(first + second + third):
        bob = ledger_of(2)
        bob.set_roster(roster([TEACHER]))
        for pack in order:
            bob.receive(message(pack))
        assert labels(bob) == ['0 mug']
        (found,) = bob.quarantine()
        assert found[2:] == ('quarantined', 'pack 1 of its key does not continue its chain', 2)


def test_an_old_roster_is_not_applied(ledger_of: MakeLedger) -> None:
    bob = ledger_of(2)
    before, after = roster([member(1), TEACHER]), roster([member(1)], version=2)
    bob.receive(message(packs([0])[0]))
    assert bob.set_roster(before)
    assert labels(bob) == ['0 mug']
    assert bob.set_roster(after)
    assert not bob.set_roster(before)
    assert labels(bob) == []
    # Two of one version, whichever came first.
    one, other = sorted([roster([TEACHER], version=3), roster([], version=3)])
    assert bob.set_roster(one)
    assert bob.set_roster(other)
    assert not bob.set_roster(one)
    assert bob.roster_message == other


def test_of_two_rosters_of_a_version_the_later_one_is_applied(ledger_of: MakeLedger) -> None:
    for erased in range(8):  # Whichever is the greater text.
        bob = ledger_of(2)
        first, second = (
            roster_message.sign(
                Roster(FLEET.public, 1, NOW_MS + age, (), frozenset([sample_id(erased + age)])),
                FLEET,
            )
            for age in (0, 1)
        )
        assert bob.set_roster(second)
        assert not bob.set_roster(first)
        assert bob.roster_message == second


def test_a_member_cannot_sign_a_roster(ledger_of: MakeLedger) -> None:
    bob = ledger_of(2)
    with pytest.raises(RosterError, match='not signed by the key of this fleet'):
        bob.set_roster(message(packs([0])[0]))


def test_a_claim_without_bytes_takes_nothing_away(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    proposer = Member(MALLORY.public, 'mallory', frozenset({'propose'}))
    bob.set_roster(roster([member(1), proposer]))
    ada.claim([draft(1, 'cup')])
    (digest,) = ada.seal(robot_key(1))
    claims = [
        Claim(sample_id(1), 'mug', 'mine', (NOW_MS << 16) + 1, 0),
        Claim(sample_id(1), '', 'mine', (NOW_MS << 16) + 2, 1, erased=True),
        Claim(sample_id(2), 'mug', 'mine', (NOW_MS << 16) + 3, 2),
    ]
    pack = seal(MALLORY, EPOCH, 0, NO_PACK, SPACE, claims)
    # Before the bytes are there, and after.
    assert bob.receive(encode(pack, {})).outcome == 'accepted'
    assert bob.receive(ada.message(digest)).outcome == 'accepted'
    assert labels(bob) == ['1 cup']
    assert bob.payload(sample_id(1)) == Payload(embedding(1))
    assert bob.message(digest) == ada.message(digest)
    # A sample whose bytes nobody has is not trained on, and its bytes may still come.
    assert bob.payload(sample_id(2)) is None
    assert bob.receive(message(pack)).outcome == 'known'
    assert bob.payload(sample_id(2)) == Payload(embedding(2))


def test_a_member_cannot_erase_what_is_not_its_own(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    for each in (ada, bob):
        each.set_roster(roster([member(1), TEACHER]))
    ada.claim([draft(1, 'cup')])
    (digest,) = ada.seal(robot_key(1))
    bob.receive(ada.message(digest))
    erase = Claim(sample_id(1), '', 'today', (NOW_MS << 16) + 5, 0, erased=True)
    attack = encode(seal(MALLORY, EPOCH, 0, NO_PACK, SPACE, [erase]), {})
    for each in (ada, bob):
        assert each.receive(attack).outcome == 'accepted'
        assert labels(each) == ['1 cup']
    # Its owner can.
    ada.claim([tombstone(1, erased=True)])
    assert ada.payload(sample_id(1)) is None


def test_a_flood_of_strangers_does_not_keep_a_new_member_out(
    ledger_of: MakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, 'MAX_WAITING_PACKS', 5)
    bob = ledger_of(2)
    bob.set_roster(roster([member(1)]))
    stream = [message(packs([value], key=robot_key(100 + value))[0]) for value in range(8)] + list(
        map(message, packs([50, 51, 52]))
    )
    exchange = Exchange(bob, 'base', None)
    exchange.begin(None)
    outcomes = [exchange.read(each, place, 1).outcome for place, each in enumerate(stream, 1)]
    assert outcomes == ['waiting'] * 5 + ['refused'] * 6
    exchange.caught_up()
    had_to_reread = exchange.must_reread
    # Then the station adds the new member.
    bob.set_roster(roster([member(1), TEACHER], version=2))
    assert (had_to_reread, exchange.must_reread) == (False, True)
    first = exchange.begin(stream[-1], 1)
    for place in range(first, len(stream) + 1):
        exchange.read(stream[place - 1], place, 1)
    assert labels(bob) == ['50 mug', '51 mug', '52 mug']


@pytest.mark.parametrize('why', ['fork', 'jump', 'revoked'])
def test_packs_that_cannot_count_do_not_fill_the_disk(
    ledger_of: MakeLedger, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(receiving, 'MAX_WAITING_PACKS', 5)
    bob = ledger_of(2)
    bob.set_roster(roster([member(1), TEACHER]))
    honest = packs([0, 1, 2])
    for pack in honest:
        assert bob.receive(message(pack)).outcome == 'accepted'
    expected = ['0 mug', '1 mug', '2 mug']
    if why == 'fork':
        flood = [packs([value], after=honest[1])[0] for value in range(10, 40)]
        expected = expected[:2]
    elif why == 'revoked':
        revoked = replace(TEACHER, keep={EPOCH: (2, honest[2].hash)})
        bob.set_roster(roster([revoked], version=2))
        flood = packs(range(10, 40), after=honest[2])
    else:
        (broken,) = packs([10], after=honest[2], sequence=77)
        flood = [broken, *packs(range(11, 40), after=broken)]
    outcomes = [bob.receive(message(pack)).outcome for pack in flood]
    outcome = 'excluded' if why == 'revoked' else 'quarantined'
    assert outcomes[0] == outcome
    assert outcomes.count(outcome) < 6
    assert outcomes[-1] == 'refused'
    assert labels(bob) == expected


@pytest.mark.parametrize('seed', range(5))
def test_a_kept_branch_is_read_whole_although_many_packs_wait(
    ledger_of: MakeLedger, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(receiving, 'MAX_WAITING_PACKS', 2)
    kept = packs(range(8))
    flood = [packs([value], after=kept[1])[0] for value in range(10, 20)]
    other = packs(range(20, 28), epoch=OTHER_EPOCH)
    keep = {EPOCH: (7, kept[7].hash), OTHER_EPOCH: (7, other[7].hash)}
    stream = list(map(message, [flood[0], *kept, *flood[1:], *other]))
    random.Random(seed).shuffle(stream)
    bob = ledger_of(2)
    bob.set_roster(roster([member(1), replace(TEACHER, keep=keep)]))
    exchange = Exchange(bob, 'base', None)
    first = exchange.begin(None)
    for _ in stream:
        for place in range(first, len(stream) + 1):
            exchange.read(stream[place - 1], place, 1)
        exchange.caught_up()
        if not exchange.must_reread:
            break
        first = exchange.begin(stream[-1], 1)
    assert not exchange.must_reread
    assert labels(bob) == sorted(f'{value} mug' for value in (*range(8), *range(20, 28)))
    quarantined = sum(each.packs for each in bob.quarantine())
    assert 1 <= quarantined <= 4, 'a limit for each chain and its fork'


def test_a_fork_is_noticed_even_if_many_packs_wait(
    ledger_of: MakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, 'MAX_WAITING_PACKS', 5)
    bob = ledger_of(2)
    bob.set_roster(roster([TEACHER]))
    for pack in packs(range(20)):
        bob.receive(message(pack))
    assert len(labels(bob)) == 20
    assert bob.receive(message(packs([77])[0])).outcome == 'quarantined'
    assert labels(bob) == []


def test_who_proposes_much_does_not_hide_the_others(ledger_of: MakeLedger) -> None:
    bob = ledger_of(2)
    loud, quiet = robot_key(3), robot_key(4)
    proposers = [Member(each.public, '', frozenset({'propose'})) for each in (loud, quiet)]
    bob.set_roster(roster(proposers))
    for pack in packs(range(100), key=loud, clock=1):
        bob.receive(message(pack))
    for pack in packs([200, 201], key=quiet, label='cup'):
        bob.receive(message(pack))
    found = bob.proposals(limit=5)
    assert [each.label for each in found] == ['mug', 'cup', 'mug', 'cup', 'mug']


def test_many_epochs_of_a_key_are_as_good_as_one(ledger_of: MakeLedger) -> None:
    bob = ledger_of(2)
    bob.set_roster(roster([TEACHER]))
    for value in range(200):
        bob.receive(message(packs([value], epoch=f'{value:016x}')[0]))
    assert len(labels(bob)) == 200
    bob.set_roster(roster([], version=2))
    assert labels(bob) == []


def test_a_clock_far_ahead_waits_and_does_not_set_others_ahead(ledger_of: MakeLedger) -> None:
    ahead = NOW_MS + 600_001 << 16
    for now_ms, expected in ((NOW_MS, ['1 cup']), (NOW_MS + 1, ['1 cup', '2 mug'])):
        bob = ledger_of(2, now_ms=now_ms)
        bob.set_roster(roster([member(2), TEACHER]))
        (pack,) = packs([2], clock=ahead)
        assert bob.receive(message(pack)).outcome == 'accepted'
        bob.claim([draft(1, 'cup')])
        bob.seal(robot_key(2))
        assert labels(bob) == expected
        claim: Any = bob.own_claims()[sample_id(1)]
        assert (claim.clock > ahead) == (len(expected) == 2)


def test_a_late_relabel_of_a_proposer_is_nothing_to_a_teacher(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    proposer = Member(MALLORY.public, 'mallory', frozenset({'propose'}))
    bob.set_roster(roster([member(1), proposer]))
    ada.claim([draft(1, 'cup'), relabel(2, 'cup')])
    (digest,) = ada.seal(robot_key(1))
    bob.receive(ada.message(digest))
    bob.receive(message(packs([1], clock=NOW_MS + 600_000 << 16)[0]))
    assert labels(bob) == ['1 cup']
    assert bob.disagreements() == bob.proposals() == []


def test_a_roster_that_was_displaced_is_published_again(ledger_of: MakeLedger) -> None:
    bob = ledger_of(2)
    newest = roster([TEACHER])
    exchange = Exchange(bob, 'base', None)
    exchange.begin(None)
    exchange.read_roster(newest)
    due = [exchange.roster_due()]
    # A hub stores its response to a request as a message of whatever subject is to get it.
    with pytest.raises(RosterError):
        exchange.read_roster(b'{"stream":"EVIDENCE","seq":3}')
    due.append(exchange.roster_due())
    exchange.read_roster(newest)
    assert [*due, exchange.roster_due()] == [None, newest, None]


def test_what_is_kept_counts_once_it_is_known_to_lead_to_the_kept_head(
    ledger_of: MakeLedger,
) -> None:
    # A head that only the station believes in must not keep everything before its number.
    poison, other = packs(range(5)), packs([20, 21, 22], label='cup')
    bob = ledger_of(2)
    bob.set_roster(roster([TEACHER]))
    for pack in poison:
        bob.receive(message(pack))
    assert len(labels(bob)) == 5
    bob.set_roster(roster([replace(TEACHER, keep={EPOCH: (2, other[2].hash)})], version=2))
    assert labels(bob) == []
    for pack in reversed(other):
        bob.receive(message(pack))
    assert labels(bob) == ['20 cup', '21 cup', '22 cup']
