# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Members and real NATS servers: whatever happens between them, all end with the same evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub import session
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.streams import evidence_subject
from edgetpu_retrain.fleet.ledger import receiving
import pytest
from support.hub_network import Link, run, until
from support.hub_server import HubServer, TestCredentials
from support.online_member import (
    are_equal,
    FleetMember,
    num_stored,
    prepare,
    roster_of,
    SPACE,
)

ADA, BOB, EVE, ZOE = KEYS = [Key.generate() for _ in range(4)]
ROSTER = roster_of(KEYS)
RIGHTS = {key.public: ['teach', 'release'] for key in KEYS}


async def num_stored_is(hub: HubServer, count: int) -> bool:
    return await num_stored(hub) == count


NewHub = Callable[..., HubServer]


@pytest.fixture
def new_hub(tmp_path: Path) -> Iterator[NewHub]:
    """Start hubs with streams, and stop them at the end."""
    servers: list[HubServer] = []

    def start(evidence_bytes: int = -1, **options: Any) -> HubServer:
        server = HubServer(tmp_path / f'hub {len(servers)}', RIGHTS, **options)
        server.start()
        servers.append(server)
        run(prepare(server, evidence_bytes))
        return server

    yield start
    for server in servers:
        server.stop()


def test_what_one_teaches_all_have(new_hub: NewHub) -> None:
    hub = new_hub()

    async def scenario() -> None:
        ada, bob, eve = (FleetMember(key, [hub.url], ROSTER) for key in (ADA, BOB, EVE))
        async with ada, bob:
            ada.teach(30, 'cup', 1)
            await until(are_equal(ada, bob, count=30))
            await until(lambda: 'EVIDENCE' in bob.changes)
            async with eve:  # which was off for long
                eve.teach(20, 'mug', 2)
                await until(are_equal(ada, bob, eve, count=50))
                await until(lambda: (eve.status.problem, eve.status.behind) == ('', 0))
        assert await num_stored(hub) == 2

    run(scenario())


def test_a_hub_that_was_down_gets_what_was_taught_meanwhile(new_hub: NewHub) -> None:
    hub = new_hub()

    async def scenario() -> None:
        ada, bob = (FleetMember(key, [hub.url], ROSTER) for key in (ADA, BOB))
        async with ada, bob:
            ada.teach(5, 'cup', 1)
            await until(are_equal(ada, bob, count=5))
            hub.kill()
            await until(lambda: not ada.status.connected)
            ada.teach(7, 'mug', 2)
            bob.teach(4, 'jug', 3)
            await until(lambda: 'no hub can be reached' in bob.status.problem)
            hub.start()
            await until(are_equal(ada, bob, count=16))
        assert await num_stored(hub) == 3

    run(scenario())


def test_a_link_cut_in_mid_pack_loses_and_doubles_nothing(new_hub: NewHub) -> None:
    hub = new_hub()

    async def scenario() -> None:
        link = Link(hub.port)
        await link.restore()
        ada, bob = FleetMember(ADA, [link.url], ROSTER), FleetMember(BOB, [hub.url], ROSTER)
        async with ada, bob:
            await until(lambda: ada.status.behind == 0)
            before = link.sent
            link.cut_after = 200_000
            ada.teach(900, 'cup', 1)  # 1.2 MB
            await until(lambda: not ada.status.connected)
            assert 0 < link.sent - before < 900_000
            assert await num_stored(hub) == 0
            await link.restore()
            await until(are_equal(ada, bob, count=900))
            # The acknowledgment is lost, and the pack is not.
            await link.cut()
            await until(lambda: not ada.status.connected)
            await link.restore()
            await until(lambda: ada.status.behind == 0)
        await link.cut()
        assert await num_stored(hub) == 1

    run(scenario())


def test_a_full_hub_is_reported_and_takes_the_rest_when_it_may(new_hub: NewHub) -> None:
    hub = new_hub(evidence_bytes=200_000)

    async def scenario() -> None:
        ada, bob = (FleetMember(key, [hub.url], ROSTER) for key in (ADA, BOB))
        async with ada, bob:
            ada.teach(100, 'cup', 1)  # 130 kB
            await until(are_equal(ada, bob, count=100))
            ada.teach(100, 'mug', 2)
            # It stays connected: it goes on reading.
            await until(lambda: ada.status.connected and 'is full' in ada.status.problem)
            assert ada.count() == 200
            assert bob.count() == 100
            await prepare(hub, 1 << 20)
            await until(are_equal(ada, bob, count=200))
            await until(lambda: ada.status.problem == '')

    run(scenario())


@pytest.mark.parametrize('author_is_there', [True, False])
@pytest.mark.parametrize('backup', ['yesterday', 'nothing'])
def test_a_restored_or_replaced_hub_gets_back_what_it_lost(
    new_hub: NewHub, author_is_there: bool, backup: str
) -> None:
    hub = new_hub()

    async def scenario() -> None:
        ada, bob, eve = (FleetMember(key, [hub.url], ROSTER) for key in (ADA, BOB, EVE))
        async with bob, ada:
            ada.teach(3, 'cup', 1)
            await until(are_equal(ada, bob, count=3))
            hub.stop()
            hub.copy('yesterday')
            hub.start()
            for each in range(3):
                ada.teach(4, 'mug', 2 + each)
                await until(are_equal(ada, bob, count=7 + 4 * each))
            hub.stop()
            await until(lambda: not ada.status.connected and not bob.status.connected)
            if not author_is_there:
                await ada.go_offline()
            hub.restore(backup if backup != 'nothing' else '')
            hub.start()
            if backup == 'nothing':
                await prepare(hub)
            async with eve:
                await until(are_equal(bob, eve, count=15))
            assert await num_stored(hub) == 4

    run(scenario())


def test_a_restored_hub_that_has_grown_is_noticed(new_hub: NewHub) -> None:
    hub = new_hub()

    async def scenario() -> None:
        ada, bob, eve = (FleetMember(key, [hub.url], ROSTER) for key in (ADA, BOB, EVE))
        async with eve:
            async with ada, bob:
                ada.teach(3, 'cup', 1)
                await until(are_equal(ada, bob, eve, count=3))
            hub.stop()
            hub.copy('yesterday')
            hub.start()
            async with FleetMember(ADA, [hub.url], ROSTER) as ada:
                ada.teach(4, 'mug', 2)
                await until(are_equal(ada, eve, count=7))
            await eve.go_offline()
            hub.stop()
            hub.restore('yesterday')
            hub.start()
            # The hub has a message more than it had when Eve left, and another one at that place.
            async with FleetMember(BOB, [hub.url], ROSTER) as bob:
                bob.teach(1, 'jug', 3)
                await until(are_equal(bob, count=4))
                bob.teach(1, 'jug', 4)
                await until(are_equal(bob, count=5))
                eve.go_online()
                await until(are_equal(bob, eve, count=9))

    run(scenario())


def test_two_hubs_are_joined_by_a_member_of_both(
    new_hub: NewHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, '_TIDY_S', 600)  # It is not what passes packs on.
    site, upstream = new_hub(), new_hub()
    newer = roster_of(KEYS, version=2)

    async def scenario() -> None:
        heads: set[bytes] = set()

        def accept(message: bytes) -> bool:
            heads.add(message)
            return True

        ada = FleetMember(ADA, [site.url], ROSTER, accept_release=accept)
        bob = FleetMember(BOB, [upstream.url], newer, accept_release=accept)
        relay = FleetMember(
            ZOE,
            [site.url, upstream.url],
            ROSTER,
            accept_release=lambda message: message == b'head',
        )
        async with ada, bob:
            ada.teach(10, 'cup', 1)
            bob.teach(20, 'mug', 2)
            hub = await connect(upstream.url, TestCredentials(BOB.seed))
            await hub.publish(f'release.{SPACE.token}.{BOB.public}', b'head', '')
            await hub.close()
            await until(lambda: ada.status.behind == bob.status.behind == 0)
            async with relay:
                await until(are_equal(ada, bob, relay, count=30))
                ada.teach(5, 'jug', 3)
                await until(are_equal(ada, bob, relay, count=35))
                await until(
                    lambda: ada.ledger.roster is not None and ada.ledger.roster.version == 2
                )
                await until(lambda: heads == {b'head'})

    run(scenario())


def test_a_lost_roster_comes_back(new_hub: NewHub) -> None:
    hub = new_hub()

    async def scenario() -> None:
        async with FleetMember(ADA, [hub.url], ROSTER), FleetMember(BOB, [hub.url]) as bob:
            await until(lambda: bob.ledger.roster_message == ROSTER)
            await until(lambda: 'ROSTER' in bob.changes)

    run(scenario())


def test_packs_for_which_there_was_no_room_are_read_again(
    new_hub: NewHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, 'MAX_WAITING_PACKS', 2)
    hub = new_hub()

    async def scenario() -> None:
        async with FleetMember(ADA, [hub.url]) as ada, FleetMember(BOB, [hub.url]) as bob:
            for seed in range(5):
                ada.teach(1, 'cup', seed)
                await until(partial(num_stored_is, hub, seed + 1))
            await until(lambda: bob.status.behind == 0)
            assert bob.count() == 0  # It does not know yet that Ada may teach.
            async with FleetMember(EVE, [hub.url], ROSTER) as eve:
                await until(are_equal(ada, bob, eve, count=5))

    run(scenario())


def test_packs_fit_a_hub_with_small_messages(new_hub: NewHub) -> None:
    hub = new_hub(max_payload=1 << 20)

    async def scenario() -> None:
        ada, bob = (FleetMember(key, [hub.url], ROSTER) for key in (ADA, BOB))
        async with ada, bob:
            ada.teach(1000, 'cup', 1)  # 1.3 MB
            await until(are_equal(ada, bob, count=1000))
        assert await num_stored(hub) == 2

    run(scenario())


def test_a_pack_too_large_for_a_hub_does_not_stop_the_others(new_hub: NewHub) -> None:
    large, small = new_hub(), new_hub(max_payload=1 << 20)

    async def scenario() -> None:
        ada, bob = FleetMember(ADA, [large.url], ROSTER), FleetMember(BOB, [small.url], ROSTER)
        relay = FleetMember(ZOE, [small.url, large.url], ROSTER)
        async with ada, bob, relay:
            ada.teach(1000, 'cup', 1)  # 1.3 MB
            await until(lambda: relay.count() == 1000)
            await until(
                lambda: (
                    relay.status.connected and 'set its max_payload to 8MB' in relay.status.problem
                )
            )
            relay.teach(3, 'mug', 2)
            await until(lambda: bob.count() == 3)

    run(scenario())


def test_packs_of_another_extractor_are_not_transferred(new_hub: NewHub) -> None:
    hub = new_hub()
    other = EmbeddingSpace('cd' * 32, SPACE.kind, '')

    async def scenario() -> None:
        link = Link(hub.port)
        await link.restore()
        ada, eve = FleetMember(ADA, [hub.url], ROSTER), FleetMember(EVE, [hub.url], ROSTER)
        async with ada, eve, FleetMember(BOB, [link.url], ROSTER, space=other) as bob:
            ada.teach(1000, 'cup', 1)  # 1.3 MB
            await until(are_equal(ada, eve, count=1000))
            bob.teach(1, 'cup', 2)
            await until(lambda: bob.status.behind == 0 and bob.count() == 1)
            await until(lambda: link.sent > 1000)
            assert link.received < 100_000
            assert ada.count() == 1000
        await link.cut()

    run(scenario())


def test_a_hub_without_jetstream_and_wrong_credentials_are_reported(tmp_path: Path) -> None:
    async def scenario(hub: HubServer) -> None:
        async with (
            FleetMember(ADA, [hub.url], ROSTER) as ada,
            FleetMember(Key.generate(), [hub.url], ROSTER) as stranger,
        ):
            await until(lambda: 'turns JetStream on' in ada.status.problem)
            await until(lambda: "does not accept this robot's key" in stranger.status.problem)
            ada.teach(3, 'cup', 1)
            assert ada.count() == 3

    with HubServer(tmp_path / 'hub', RIGHTS, jetstream=False) as hub:
        run(scenario(hub))


def test_a_member_that_may_only_read_keeps_its_samples_and_reads(tmp_path: Path) -> None:
    rights = {ADA.public: ['teach'], BOB.public: ['read']}

    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        async with (
            FleetMember(ADA, [hub.url], ROSTER) as ada,
            FleetMember(BOB, [hub.url], ROSTER) as bob,
        ):
            bob.teach(2, 'mug', 1)
            await until(
                lambda: bob.status.connected and 'does not let this key' in bob.status.problem
            )
            ada.teach(3, 'cup', 2)
            await until(lambda: bob.count() == 5)
            assert ada.count() == 3

    with HubServer(tmp_path / 'hub', rights) as hub:
        run(scenario(hub))


def test_forged_messages_change_nothing_and_do_not_stop_the_reading(new_hub: NewHub) -> None:
    hub = new_hub()

    async def scenario() -> None:
        attacker = await connect(hub.url, TestCredentials(EVE.seed))
        token = SPACE.token
        for number, message in enumerate((b'', b'nonsense', bytes(5 << 20))):
            await attacker.publish(
                evidence_subject(token, EVE.public, EVE.public), message, f'forged {number}'
            )
            await attacker.publish(f'roster.{EVE.public}', message[:1000], f'roster {number}')
        async with (
            FleetMember(ADA, [hub.url], ROSTER) as ada,
            FleetMember(BOB, [hub.url], ROSTER) as bob,
        ):
            ada.teach(3, 'cup', 1)
            await until(are_equal(ada, bob, count=3))
            await attacker.publish(
                evidence_subject(token, EVE.public, EVE.public), b'more', 'forged more'
            )
            ada.teach(3, 'cup', 2)
            await until(are_equal(ada, bob, count=6))
        await attacker.close()

    run(scenario())
