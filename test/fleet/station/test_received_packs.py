# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a revocation keeps is what the hub received, and what robots accept."""

from __future__ import annotations

from collections.abc import Callable
import hashlib
from pathlib import Path

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import encode, NO_PACK, Pack, read_header, seal
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.streams import evidence_subject
from edgetpu_retrain.fleet.ledger.hubs.receptions import Reception
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.roster.roster import KeepMap, Member, Roster
from edgetpu_retrain.fleet.roster.roster_message import sign
from edgetpu_retrain.fleet.station.received_packs import (
    as_first_received,
    heads,
    read_packs,
    ReceivedPack,
)
from support.fleet_members import FLEET
from support.hub_network import run
from support.hub_server import HubServer, TestCredentials
from support.online_member import prepare, SPACE

EVE = Key.generate()
EPOCH = '0' * 16


def sealed(label: str, before: Pack | None = None, *, sequence: int | None = None) -> Pack:
    """Return a pack of one claim, after another one."""
    number, previous = (0, NO_PACK) if before is None else (before.number + 1, before.hash)
    claim = Claim(bytes(32), label, '', 1, number if sequence is None else sequence)
    return seal(EVE, EPOCH, number, previous, SPACE, [claim])


def packs(count: int, label: str) -> list[Pack]:
    """Return a chain of packs."""
    chain: list[Pack] = []
    for _ in range(count):
        chain.append(sealed(label, chain[-1] if chain else None))
    return chain


def received(*stream: Pack | None) -> list[ReceivedPack]:
    """Return packs that a hub received in this order; None = a message that was deleted."""
    return [
        ReceivedPack(read_header(encode(pack, {})), sequence, 1000 * sequence)
        for sequence, pack in enumerate(stream, 1)
        if pack is not None
    ]


def before(sequence: int) -> Callable[[ReceivedPack], bool]:
    return lambda pack: pack.sequence < sequence


def counting(keep: KeepMap, *stored: Pack) -> int:
    """Return how many of these packs count for a robot whose roster keeps some of them."""
    eve = Member(EVE.public, 'eve', frozenset({'teach'}), keep=keep)
    roster = Roster(FLEET.public, 1, 1_700_000_000_000, (eve,))
    with Ledger(':memory:', SPACE, fleet=FLEET.public) as ledger:
        ledger.set_roster(sign(roster, FLEET))
        for pack in stored:
            ledger.receive(encode(pack, {}))
        quarantined = sum(each.packs for each in ledger.quarantine())
    return len(stored) - quarantined


def test_packs_that_robots_refuse_keep_nothing(tmp_path: Path) -> None:
    forged = [pack.manifest + bytes(64) for pack in packs(9, 'cat')]
    real = packs(3, 'cup')

    async def scenario(server: HubServer) -> None:
        await prepare(server)
        eve = await connect(server.url, TestCredentials(EVE.seed))
        for message in [*forged, *(encode(pack, {}) for pack in real), b'no pack']:
            subject = evidence_subject(SPACE.token, EVE.public, EVE.public)
            await eve.publish(subject, message, hashlib.sha256(message).hexdigest())
        await eve.close()
        station = await connect(server.url, server.station_credentials)
        found = await read_packs(station, EVE.public)
        await station.close()
        assert [each.header.hash for each in found] == [pack.hash for pack in real]
        assert heads(found) == {EPOCH: (2, real[2].hash)}
        assert heads(found, before(12)) == {EPOCH: (1, real[1].hash)}

    with HubServer(tmp_path / 'hub', {EVE.public: ['teach']}) as server:
        run(scenario(server))


def test_ancestors_of_a_pack_that_counts_do_count() -> None:
    first, second, third = packs(3, 'cup')
    # The first pack, then the first two were published again.
    for stream in ((None, second, third, first), (None, None, third, second, first)):
        assert heads(received(*stream), before(4)) == {EPOCH: (2, third.hash)}
    assert heads(received(None, second, third, first), before(3)) == {EPOCH: (1, second.hash)}
    assert heads(received(None, second, third, first), before(2)) == {}


def test_a_replaced_pack_counts_by_its_first_reception() -> None:
    first, second, third = packs(3, 'cup')
    stream = received(first, None, None, third, second)
    replaced = {second.hash: Reception(2, 2000), third.hash: Reception(3, 3000)}
    found = as_first_received(stream, replaced)
    assert [each.header.number for each in found] == [0, 1, 2]
    assert heads(found, before(3)) == {EPOCH: (1, second.hash)}
    assert heads(found, lambda each: each.received_ms < 3500) == {EPOCH: (2, third.hash)}
    # A reception that is later than that of the message changes nothing.
    assert as_first_received(stream, {first.hash: Reception(9, 9000)})[0] == stream[0]


def test_of_a_fork_the_branch_counts_that_came_first_although_it_was_replaced() -> None:
    first, second, third = packs(3, 'cup')
    other = sealed('pen', first)
    # A descendant proves it, or its first reception.
    assert heads(received(first, None, third, other, second)) == {EPOCH: (2, third.hash)}
    stream = received(first, None, other, second)
    assert heads(stream) == {EPOCH: (1, other.hash)}
    found = as_first_received(stream, {second.hash: Reception(2, 2000)})
    assert heads(found) == {EPOCH: (1, second.hash)}


def test_what_does_not_continue_the_chain_keeps_nothing() -> None:
    real = packs(3, 'cup')
    orphan = sealed('pen', sealed('pen', real[2]))
    gap = sealed('pen', real[2], sequence=7)
    for last in (orphan, gap):
        keep = heads(received(*real, last))
        assert keep == {EPOCH: (2, real[2].hash)}
        assert counting(keep, *real, last) == 3
