# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Many releases at a real hub, among messages that others have put there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
import hashlib
import json
from pathlib import Path

from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.streams import EVIDENCE, evidence_subject, RELEASES
from edgetpu_retrain.fleet.releases.release import encode, encode_promotion, Promotion, Release
from edgetpu_retrain.fleet.releases.staging import MAX_RELEASES, newest_for
from edgetpu_retrain.fleet.station.hub_releases import delete_unused_releases, read_releases
from support.fleet_members import NOW_MS, robot_key, SPACE
from support.fleet_releases import KEY, RELEASE, ROSTER
from support.hub_network import run, until
from support.hub_server import HubServer, TestCredentials
from support.online_member import prepare

EVE = robot_key(2)
OF_EVE = evidence_subject(SPACE.token, EVE.public, EVE.public)
OF_KEY = f'release.{SPACE.token}.{KEY.public}'


async def publish(hub: Hub, message: bytes, subject: str = OF_KEY) -> None:
    await hub.publish(subject, message, hashlib.sha256(message).hexdigest())


async def put_junk(eve: Hub, count: int) -> None:
    """Have the hub store its replies among the releases of another member."""
    for number in range(count):
        await eve.client.publish(OF_EVE, b'pack %d' % number, OF_KEY)
    create = {
        'stream_name': EVIDENCE,
        'config': {'name': 'mine', 'filter_subject': 'evidence.*.*.*', 'ack_policy': 'none'},
    }
    await eve.api(f'CONSUMER.CREATE.{EVIDENCE}.mine.evidence.*.*.*', create)
    request = json.dumps({'batch': count}).encode()
    await eve.client.publish(f'$JS.API.CONSUMER.MSG.NEXT.{EVIDENCE}.mine', request, OF_KEY)


def test_junk_displaces_no_release_and_is_deleted_with_old_ones(tmp_path: Path) -> None:
    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        publisher, eve = [await connect(hub.url, TestCredentials(key.seed)) for key in (KEY, EVE)]
        station = await connect(hub.url, hub.station_credentials)

        async def count() -> int:
            state = (await station.api(f'STREAM.INFO.{RELEASES}', {}))['state']
            return int(state['messages'])

        for number in range(12):
            await publish(publisher, encode(replace(RELEASE, issued_ms=NOW_MS + number), KEY))
        other = encode(replace(RELEASE, space='ef' * 32), KEY)
        await publish(publisher, other, f'release.{"ef" * 8}.{KEY.public}')
        newest = list((await read_releases(station, SPACE, ROSTER)).values())[-1]
        assert isinstance(newest, Release)
        for number in range(20):
            promotion = Promotion(KEY.public, NOW_MS + number, newest.id, number / 20)
            await publish(publisher, encode_promotion(promotion, KEY))
        await put_junk(eve, 20)

        async def has_all() -> bool:
            return await count() == 73

        await until(has_all)
        before = await read_releases(station, SPACE, ROSTER)
        assert len(before) == 32

        assert await delete_unused_releases(station, SPACE, ROSTER) == 73 - MAX_RELEASES - 2
        after = await read_releases(station, SPACE, ROSTER)
        assert len(after) == MAX_RELEASES + 1
        assert await count() == MAX_RELEASES + 2
        for key in (robot_key(number).public for number in range(50)):
            taken, would_take = (newest_for(key, each.values()) for each in (after, before))
            assert (taken and taken.id) == (would_take and would_take.id)
        assert await delete_unused_releases(station, SPACE, ROSTER) == 0
        for connection in (publisher, eve, station):
            await connection.close()

    with HubServer(tmp_path / 'hub', {KEY.public: ['release'], EVE.public: ['teach']}) as hub:
        run(scenario(hub))


def test_two_commands_delete_old_releases_at_the_same_time(tmp_path: Path) -> None:
    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        publisher = await connect(hub.url, TestCredentials(KEY.seed))
        stations = [await connect(hub.url, hub.station_credentials) for _ in range(2)]
        for number in range(MAX_RELEASES + 20):
            await publish(publisher, encode(replace(RELEASE, issued_ms=NOW_MS + number), KEY))
        deleted = await asyncio.gather(
            *(delete_unused_releases(station, SPACE, ROSTER) for station in stations)
        )
        assert sum(deleted) == 20
        assert len(await read_releases(publisher, SPACE, ROSTER)) == MAX_RELEASES
        for connection in (publisher, *stations):
            await connection.close()

    with HubServer(tmp_path / 'hub', {KEY.public: ['release']}) as hub:
        run(scenario(hub))
