# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A member that reads only its own packs, and one that begins or ceases to do so."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
import shutil
from typing import Any

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.hub.synchronization import Delays
import pytest
from support.hub_network import Link, run, until
from support.hub_server import HubServer
from support.online_member import are_equal, FleetMember, num_stored, prepare, roster_of

ADA, BOB, EVE = KEYS = [Key.generate() for _ in range(3)]
ROSTER = roster_of(KEYS)
NEWER = roster_of(KEYS, version=2)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(tmp_path / 'hub', {key.public: ['teach'] for key in KEYS}) as server:
        run(prepare(server))
        yield server


def small(url: str, path: Path | str = ':memory:', **options: Any) -> FleetMember:
    """Return a robot that is too small for the packs of others."""
    return FleetMember(BOB, [url], ROSTER, path=path, own_packs_only=True, **options)


async def num_stored_is(hub: HubServer, count: int) -> bool:
    return await num_stored(hub) == count


def test_it_receives_rosters_and_no_packs_of_others(hub: HubServer) -> None:
    async def scenario() -> None:
        link = Link(hub.port)
        await link.restore()
        async with FleetMember(ADA, [hub.url], ROSTER) as ada, small(link.url) as bob:
            bob.teach(3, 'mug', 1)
            await until(are_equal(ada, count=3))
            ada.teach(300, 'cup', 2)  # 0.4 MB
            await until(lambda: not ada.ledger.hub(hub.url).missing())
            ada.ledger.set_roster(NEWER)
            ada.synchronization.wake()
            # The new roster was published after the packs.
            await until(lambda: bob.ledger.roster_message == NEWER)
            bob.teach(1, 'mug', 3)
            await until(are_equal(ada, count=304))
            assert (bob.count(), bob.status.behind, bob.status.problem) == (4, 0, '')
            assert link.received < 40_000
        await link.cut()

    run(scenario())


def test_it_does_not_publish_what_a_new_hub_lacks_of_others(hub: HubServer) -> None:
    async def scenario() -> None:
        ada, bob = FleetMember(ADA, []), small(hub.url, delays=Delays(others_ms=(0, 0)))
        ada.teach(2, 'cup', 9)
        (digest,) = ada.ledger.seal(ADA)
        bob.ledger.receive(ada.ledger.message(digest))
        ada.ledger.close()
        # No hub is known to have this pack, so it is kept.
        async with bob:
            for number in (1, 2):
                bob.teach(1, 'mug', number)
                await until(partial(num_stored_is, hub, number))
            assert bob.count() == 4

    run(scenario())


def test_a_restored_one_finds_its_packs_that_another_has_published_again(
    hub: HubServer, tmp_path: Path
) -> None:
    path, backup = tmp_path / 'fleet.db', tmp_path / 'backup.db'

    async def scenario() -> None:
        ada = FleetMember(ADA, [hub.url], ROSTER)
        async with ada:
            async with small(hub.url, path) as bob:
                bob.teach(3, 'mug', 1)
                await until(are_equal(ada, count=3))
            shutil.copy(path, backup)
            async with small(hub.url, path) as bob:
                bob.teach(2, 'cup', 2)
                await until(are_equal(ada, count=5))
            hub.stop()
            hub.restore('')
            hub.start()
            await prepare(hub)
            await until(partial(num_stored_is, hub, 2))
            for file in tmp_path.glob('fleet.db*'):
                file.unlink()
            shutil.copy(backup, path)
            async with small(hub.url, path) as bob:
                bob.teach(4, 'jug', 3)
                await until(are_equal(ada, bob, count=9))
                assert bob.ledger.quarantine() == ada.ledger.quarantine() == []

    run(scenario())


def test_one_that_begins_to_read_all_packs_receives_what_it_has_not(
    hub: HubServer, tmp_path: Path
) -> None:
    path = tmp_path / 'fleet.db'

    async def scenario() -> None:
        async with FleetMember(ADA, [hub.url], ROSTER) as ada:
            ada.teach(5, 'cup', 1)
            await until(partial(num_stored_is, hub, 1))
            async with small(hub.url, path) as bob:
                bob.teach(3, 'mug', 2)
                await until(are_equal(ada, count=8))
                # It has noted that it has read its own pack, the second one.
                position = Exchange(bob.ledger, hub.url, None, own_only=True)
                await until(lambda: position.remembered == 2)
            ada.teach(2, 'cup', 3)
            async with FleetMember(BOB, [hub.url], ROSTER, path=path) as bob:
                await until(are_equal(ada, bob, count=10))
                bob.teach(1, 'mug', 4)
                await until(are_equal(ada, bob, count=11))

    run(scenario())


def test_one_that_ceases_to_read_all_packs_keeps_its_own_only(
    hub: HubServer, tmp_path: Path
) -> None:
    path = tmp_path / 'fleet.db'

    async def scenario() -> None:
        async with FleetMember(ADA, [hub.url], ROSTER) as ada:
            ada.teach(5, 'cup', 1)
            async with FleetMember(BOB, [hub.url], ROSTER, path=path) as bob:
                bob.teach(3, 'mug', 2)
                await until(are_equal(ada, bob, count=8))
                of_ada, of_bob = set(ada.ledger.own_claims()), set(bob.ledger.own_claims())
            async with small(hub.url, path) as bob:
                await until(lambda: bob.count() == 3 and bob.status.behind == 0)
                bob.teach(1, 'mug', 3)
                await until(are_equal(ada, count=9))
                assert all(bob.ledger.payload(each) is None for each in of_ada)
                assert all(bob.ledger.payload(each) is not None for each in of_bob)
            ada.teach(2, 'cup', 4)
            async with FleetMember(BOB, [hub.url], ROSTER, path=path) as bob:
                await until(are_equal(ada, bob, count=11))
        assert await num_stored(hub) == 4

    run(scenario())
