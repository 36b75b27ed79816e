# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A hub stores one message of each id, and a hostile member may take the id of a pack."""

from __future__ import annotations

from collections.abc import Iterator
import hashlib
from pathlib import Path

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.streams import evidence_subject
from edgetpu_retrain.fleet.hub.synchronization import Delays
import pytest
from support.hub_network import run, until
from support.hub_server import HubServer, TestCredentials
from support.online_member import are_equal, FleetMember, prepare, roster_of, SPACE

ADA, BOB, EVE = KEYS = [Key.generate() for _ in range(3)]
ROSTER = roster_of(KEYS)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(tmp_path / 'hub', {key.public: ['teach'] for key in KEYS}) as server:
        run(prepare(server))
        yield server


@pytest.mark.parametrize('is_pack', [False, True], ids=['nonsense', 'wrong subject'])
def test_a_pack_is_published_although_another_message_has_its_id(
    hub: HubServer, is_pack: bool
) -> None:
    async def scenario() -> None:
        ada = FleetMember(ADA, [], ROSTER)
        ada.teach(2, 'cup', 1)
        (digest,) = ada.ledger.seal(ADA)
        message = ada.ledger.message(digest)
        eve = await connect(hub.url, TestCredentials(EVE.seed))
        subject = evidence_subject(SPACE.token, EVE.public, EVE.public)
        content = message if is_pack else b'nonsense'
        await eve.publish(subject, content, hashlib.sha256(message).hexdigest())
        await eve.close()
        bob = FleetMember(BOB, [hub.url], ROSTER, delays=Delays(others_ms=(0, 0)))
        bob.ledger.receive(message)  # It comes from another hub.
        small = FleetMember(ADA, [hub.url], ROSTER, own_packs_only=True)
        async with bob, small:
            await until(are_equal(small, ada, bob, count=2))
        ada.ledger.close()

    run(scenario())


def test_a_roster_is_published_although_another_message_has_its_id(hub: HubServer) -> None:
    async def scenario() -> None:
        eve = await connect(hub.url, TestCredentials(EVE.seed))
        digest = hashlib.sha256(ROSTER).hexdigest()
        await eve.publish(f'roster.{EVE.public}', b'nonsense', digest)
        await eve.close()
        ada, bob = FleetMember(ADA, [hub.url], ROSTER), FleetMember(BOB, [hub.url])
        async with ada, bob:
            await until(lambda: bob.ledger.roster_message == ROSTER)

    run(scenario())
