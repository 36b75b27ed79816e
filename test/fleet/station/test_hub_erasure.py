# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A real hub erases samples, although the erasure is interrupted or a message cannot be erased."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
import contextlib
from functools import partial
from pathlib import Path

from edgetpu_retrain.errors import HubRefusedError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.message_deletion import delete_message
from edgetpu_retrain.fleet.hub.streams import EVIDENCE
from edgetpu_retrain.fleet.ledger.hubs.hub_record import HubRecord
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.roster.roster_message import sign
from edgetpu_retrain.fleet.station.hub_erasure import erase_from_hub
import pytest
from support.fleet_members import FLEET
from support.hub_network import run, until
from support.hub_server import HubServer
from support.online_member import drafts, FleetMember, num_stored, prepare, roster_of, SPACE

ADA = Key.generate()
SAMPLES = [drafts(1, label, seed)[0] for seed, label in enumerate(('mug', 'cup', 'pen'))]
SUBJECT = f'evidence.{SPACE.token}.{ADA.public}'


@contextlib.asynccontextmanager
async def connection_of_station(server: HubServer) -> AsyncIterator[Hub]:
    hub = await connect(server.url, server.station_credentials)
    try:
        yield hub
    finally:
        await hub.close()


def has_samples(member: FleetMember, count: int) -> bool:
    return member.count() == count


@contextlib.asynccontextmanager
async def taught_hub(
    server: HubServer, taught: Iterable[list[Draft]]
) -> AsyncIterator[FleetMember]:
    """Yield the member of a station that has read these packs, and is offline now."""
    await prepare(server)
    roster = roster_of([ADA])
    async with FleetMember(server.station, [server.url], roster) as station:
        async with FleetMember(ADA, [server.url], roster) as ada:
            count = 0
            for each in taught:
                ada.ledger.claim(each)
                ada.synchronization.wake()
                count += len(each)
                await until(partial(has_samples, station, count))
            await until(lambda: station.status.behind == 0)
        await station.go_offline()
        yield station


def erase(station: FleetMember, *samples: Draft) -> HubRecord:
    """Let the roster erase samples, and return what the station knows of its hub."""
    listed = (Member(ADA.public, 'ada', frozenset({'teach'})),)
    erased = frozenset(each.sample for each in samples)
    roster = Roster(FLEET.public, 2, 1_700_000_000_009, listed, erased)
    assert station.ledger.set_roster(sign(roster, FLEET))
    (url,) = (each.url for each in station.synchronization.status())
    return station.ledger.hub(url)


def test_deleting_a_message_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    async def scenario(server: HubServer) -> None:
        await prepare(server)
        async with connection_of_station(server) as hub:
            for number in range(4):
                await hub.publish(f'{SUBJECT}.{hub.key}', b'%d' % number, '')
            # Between others, before all others, after all others, and when no message is left.
            for number, was_there in ((2, True), (2, False), (1, True), (1, False), (99, False)):
                assert await delete_message(hub, EVIDENCE, number, overwrite=True) is was_there
            for number, was_there in ((3, True), (4, True), (4, False), (3, False)):
                assert await delete_message(hub, EVIDENCE, number, overwrite=False) is was_there
            with pytest.raises(HubRefusedError, match='stream not found'):
                await delete_message(hub, 'OTHER', 1, overwrite=True)

    with HubServer(tmp_path / 'hub', {}) as server:
        run(scenario(server))


@pytest.mark.parametrize('deleted', [1, 2])
def test_an_interrupted_erasure_is_continued(tmp_path: Path, deleted: int) -> None:
    async def scenario(server: HubServer) -> None:
        async with taught_hub(server, [[each] for each in SAMPLES]) as station:
            record = erase(station, *SAMPLES[:2])
            async with connection_of_station(server) as hub:
                # The station ended before it noted that the message is deleted.
                assert await delete_message(hub, EVIDENCE, deleted, overwrite=True)
                assert await erase_from_hub(hub, station.ledger) == (2, '')
                assert record.carriers() == []
                assert await erase_from_hub(hub, station.ledger) == (0, '')
            assert await num_stored(server) == 3

    with HubServer(tmp_path / 'hub', {ADA.public: ['teach']}) as server:
        run(scenario(server))


def test_a_pack_that_the_hub_rejects_does_not_keep_others_from_being_erased(
    tmp_path: Path,
) -> None:
    async def scenario(server: HubServer) -> None:
        large = drafts(40, 'plate', 9)
        async with taught_hub(server, [large, SAMPLES[:1]]) as station:
            record = erase(station, large[0], SAMPLES[0])
            server.stop()
            server.max_payload = 20_000
            server.start()
            async with connection_of_station(server) as hub:
                erasure = await erase_from_hub(hub, station.ledger)
            assert erasure.deleted == 1
            assert 'is too large for the hub' in erasure.problem
            assert [sequence for sequence, _ in record.carriers()] == [1]

    with HubServer(tmp_path / 'hub', {ADA.public: ['teach']}) as server:
        run(scenario(server))


def test_a_message_that_cannot_be_deleted_is_replaced_once(tmp_path: Path) -> None:
    async def scenario(server: HubServer) -> None:
        async with taught_hub(server, [[each] for each in SAMPLES]) as station:
            erase(station, SAMPLES[0])
            async with connection_of_station(server) as hub:
                config = (await hub.api(f'STREAM.INFO.{EVIDENCE}', {}))['config']
                short = {'deny_delete': True, 'duplicate_window': 100_000_000}
                await hub.api(f'STREAM.UPDATE.{EVIDENCE}', config | short)
                for _ in range(2):
                    erasure = await erase_from_hub(hub, station.ledger)
                    assert erasure.deleted == 0
                    assert 'not permitted' in erasure.problem
                    await pass_duplicate_window(hub)
                assert await num_stored(server) == 4 + 2 * 2

    async def pass_duplicate_window(hub: Hub) -> None:
        """Wait until the hub has stored two messages with the same id."""
        for _ in range(2):

            async def is_stored() -> bool:
                return await hub.publish(f'{SUBJECT}.{hub.key}', b'', 'the same') is not None

            await until(is_stored)

    with HubServer(tmp_path / 'hub', {ADA.public: ['teach']}) as server:
        run(scenario(server))
