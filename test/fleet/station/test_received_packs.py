# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a revocation keeps is what the hub received, and what robots accept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import encode, NO_PACK, Pack, seal
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.streams import evidence_subject
from edgetpu_retrain.fleet.station.received_packs import heads, read_packs
from support.hub_network import run
from support.hub_server import HubServer, TestCredentials
from support.online_member import prepare, SPACE

EVE = Key.generate()
EPOCH = '0' * 16


def packs(count: int, label: str) -> list[Pack]:
    """Return a chain of packs."""
    chain: list[Pack] = []
    for number in range(count):
        previous = chain[-1].hash if chain else NO_PACK
        claim = Claim(bytes(32), label, '', 1, number)
        chain.append(seal(EVE, EPOCH, number, previous, SPACE, [claim]))
    return chain


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
        received = await read_packs(station, EVE.public)
        await station.close()
        assert [each.header.hash for each in received] == [pack.hash for pack in real]
        assert heads(received) == {EPOCH: (2, real[2].hash)}
        assert heads(received, lambda each: each.sequence < 12) == {EPOCH: (1, real[1].hash)}

    with HubServer(tmp_path / 'hub', {EVE.public: ['teach']}) as server:
        run(scenario(server))
