# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A station as its operator runs it, with a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
import os
from pathlib import Path
import shutil
import signal
from typing import Any

from edgetpu_retrain.errors import FleetError, HubError
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.hub.stream_creation import create_streams
from edgetpu_retrain.fleet.hub.streams import report_subject
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.station import station as station_module
from edgetpu_retrain.fleet.station.addresses import check_port
from edgetpu_retrain.fleet.station.credentials import Credentials
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.fleet.station.received_packs import read_packs
from edgetpu_retrain.fleet.station.roster_changes import find_member
from edgetpu_retrain.fleet.station.settings import Settings
from edgetpu_retrain.processes.free_port import free_port
import pytest
from support.fleet_members import SPACE
from support.hub_network import run, until
from support.running_station import (
    member_status,
    output,
    Robot,
    RunningStation,
    status,
)
from support.waiting import wait_until


@pytest.fixture
def station(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / 'base') as running:
        yield running.wait_until_ready()


async def connected(robot: Robot, url: str = '') -> Hub:
    """Connect as soon as the hub accepts the robot."""
    hubs: list[Hub] = []

    async def try_once() -> bool:
        try:
            hubs.append(await connect(url or robot.credentials.url, robot.credentials))
        except HubError:
            return False
        return True

    await until(try_once)
    return hubs[0]


def teach(robot: Robot, *labels: str, url: str = '') -> list[bytes]:
    """Publish a pack for each label, and return the embeddings."""

    async def publish() -> list[bytes]:
        hub = await connected(robot, url)
        samples = [each for label in labels for each in await robot.teach(hub, label)]
        await hub.close()
        return [each.embedding for each in samples]

    return run(publish())


def report(robot: Robot, stamp_ms: int, url: str = '', **fields: Any) -> None:
    """Publish a report."""

    async def publish() -> None:
        hub = await connected(robot, url)
        message = Report(robot.credentials.name, stamp_ms, **fields).encode(robot.key)
        # Until the hub has stored it.
        await hub.publish(report_subject(robot.key.public, hub.key), message, '')
        await hub.close()

    run(publish())


def packs_at(robot: Robot, url: str, credentials: Credentials) -> int:
    """Return how many packs of a robot a hub has; -1 if it does not let a member read them yet."""

    async def count() -> int:
        try:
            hub = await connect(url, credentials)
            packs = await read_packs(hub, robot.key.public)
        except HubError:
            return -1
        await hub.close()
        return len({pack.header.hash for pack in packs})

    return run(count())


def in_roster(station: RunningStation, name: str) -> Member:
    return find_member(roster_of(station), name)


def is_member(station: RunningStation, name: str) -> bool:
    return any(each.name == name for each in roster_of(station).members)


def roster_of(station: RunningStation) -> Roster:
    roster = station.folder.roster()
    assert roster is not None
    return roster


def change(station: RunningStation, *arguments: object) -> dict[str, object]:
    """Run a command of the operator."""
    return output('fleet', *arguments, '--folder', station.folder.path, '--json')


def test_a_station_ends_at_ctrl_c_and_starts_again(tmp_path: Path) -> None:
    for _ in range(2):
        with RunningStation(tmp_path / 'base') as station:
            station.wait_until_ready()
            assert station.end() == 0
        assert 'the hub has ended.' in station.log[-1]


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_a_station_can_be_killed_and_started_again(tmp_path: Path, number: signal.Signals) -> None:
    with RunningStation(tmp_path / 'base') as station:
        ada = Robot(station.wait_until_ready().add('ada', '--role', 'teach'))
        teach(ada, 'mug')
        station.end(number)

    def free() -> bool:
        settings = station.folder.settings()
        try:
            check_port(settings.host, settings.port)
        except FleetError:
            return False
        return True

    wait_until(free)
    with RunningStation(tmp_path / 'base') as station:
        station.wait_until_ready()
        assert packs_at(ada, station.url, ada.credentials) == 1


def listens(station: RunningStation) -> bool:
    async def try_once() -> bool:
        try:
            hub = await connect(station.url, station.folder.credentials())
        except HubError:
            return False
        await hub.close()
        return True

    return run(try_once())


def test_a_station_creates_its_streams_again_if_the_connection_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Hub] = []

    async def lose_the_first(hub: Hub, limit: int) -> None:
        if not lost:
            lost.append(hub)
            await hub.close()
        await create_streams(hub, limit)

    monkeypatch.setattr(station_module, 'create_streams', lose_the_first)
    folder = StationFolder(tmp_path / 'base')
    folder.make_base(Settings(('localhost',), '127.0.0.1', free_port(), 1 << 30))
    log: list[str] = []

    async def start() -> None:
        station = station_module.Station(folder, SPACE, None, log.append)
        task = asyncio.create_task(station.run())
        await until(lambda: task.done() or any('the hub is ready' in line for line in log))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        station.close()

    run(start())
    assert lost
    assert any('the hub is ready' in line for line in log)


def test_a_second_station_of_a_folder_is_rejected(station: RunningStation) -> None:
    folder = station.folder
    before = folder.settings(), folder.certificate.read_bytes()
    options = ('--port', free_port(), '--hub-name', 'elsewhere.local')
    with RunningStation(folder.path, *options) as second:
        second.wait_for_log('runs the hub of')
        assert second.wait() == 1
    assert (folder.settings(), folder.certificate.read_bytes()) == before


def test_a_port_in_use_is_reported(station: RunningStation, tmp_path: Path) -> None:
    port = station.folder.settings().port
    with RunningStation(tmp_path / 'other', '--port', port) as second:
        second.wait_for_log(f'cannot listen on 127.0.0.1, port {port}')
        assert second.wait() == 1


def test_a_revoked_member_is_disconnected_at_once(station: RunningStation) -> None:
    ada = Robot(station.add('ada', '--role', 'teach'))

    async def revoked() -> None:
        hub = await connected(ada)
        change(station, 'revoke', 'ada')
        await until(lambda: hub.client.is_closed)
        with pytest.raises(HubError, match='does not accept'):
            await ada.connect()

    run(revoked())
    assert in_roster(station, 'ada').keep == {}
    assert member_status(station, 'ada')['state'] == 'removed'


def test_an_expired_member_does_not_connect(station: RunningStation) -> None:
    path = station.folder.path.parent / 'ada.json'
    change(station, 'add', 'ada', '--expires', '2024-01-01', '--out', path)
    ada = Robot(replace(Credentials.read(path), url=station.url))
    bob = Robot(station.add('bob', '--expires', '1d'))

    async def try_it() -> None:
        hub = await connected(bob)
        await hub.close()
        with pytest.raises(HubError, match='does not accept'):
            await ada.connect()

    run(try_it())
    assert member_status(station, 'ada')['state'] == 'expired'


def test_revoking_since_a_number_keeps_what_the_hub_received_before(
    station: RunningStation,
) -> None:
    ada = Robot(station.add('ada', '--role', 'teach'))
    bob = Robot(station.add('bob', '--role', 'teach'))
    teach(ada, 'mug', 'cup')
    second = ada.last
    teach(bob, 'pen')
    teach(ada, 'mouse')
    revoked = change(station, 'revoke', 'ada', '--since-sequence', 4)
    assert (revoked['packs'], revoked['kept']) == (3, 2)
    assert second is not None
    assert in_roster(station, 'ada').keep == {'0' * 16: (1, second.hash)}
    # What was taken stays taken, whatever is kept later.
    change(station, 'retire', 'ada')
    assert in_roster(station, 'ada').keep == {'0' * 16: (1, second.hash)}
    change(station, 'revoke', bob.key.public, '--since', '1h')
    assert in_roster(station, 'bob').keep == {}


def test_a_retired_member_keeps_all(station: RunningStation) -> None:
    ada = Robot(station.add('ada', '--role', 'teach'))
    teach(ada, 'mug', 'cup')
    assert ada.last is not None
    change(station, 'retire', 'ada')
    assert in_roster(station, 'ada').keep == {'0' * 16: (1, ada.last.hash)}
    assert not in_roster(station, 'ada').may_connect


def test_of_a_fork_the_branch_is_kept_that_came_first(station: RunningStation) -> None:
    credentials = station.add('ada', '--role', 'teach')
    ada, copied_disk = Robot(credentials), Robot(credentials)
    teach(ada, 'mug')
    copied_disk.last = ada.last
    teach(ada, 'cup')
    first = ada.last
    teach(copied_disk, 'pen', 'mouse')
    change(station, 'retire', 'ada')
    assert first is not None
    assert in_roster(station, 'ada').keep == {'0' * 16: (1, first.hash)}


def on_disk(folder: Path, content: bytes) -> bool:
    """Return whether any file of a folder has some bytes."""
    return any(
        content in _content(Path(parent, name))
        for parent, _, names in os.walk(folder)
        for name in names
    )


def _content(path: Path) -> bytes:
    """Return the content of a file of a running program, which may delete it at any time."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b''


def test_erased_samples_leave_every_file_of_the_station(station: RunningStation) -> None:
    ada = Robot(station.add('ada', '--role', 'teach'))
    gone, kept = teach(ada, 'mug', 'cup')
    store, data = station.folder.store, station.folder.data
    wait_until(lambda: all(on_disk(data, each) for each in (gone, kept)))
    assert on_disk(store, gone)
    change(station, 'erase', ada.space.sample_id(gone).hex())
    station.wait_for_log('samples were erased from 1 pack of the hub')
    wait_until(lambda: not on_disk(store, gone) and not on_disk(data, gone))
    assert on_disk(store, kept)
    assert on_disk(data, kept)
    # The chain is whole all the same.
    assert packs_at(ada, station.url, ada.credentials) == 2


def test_what_was_erased_in_packs_does_not_change_when_they_were_received(
    station: RunningStation,
) -> None:
    ada = Robot(station.add('ada', '--role', 'teach'))
    embeddings = teach(ada, 'mug', 'cup', 'pen')
    first, _, last = (ada.space.sample_id(each).hex() for each in embeddings)
    wait_until(lambda: all(on_disk(station.folder.data, each) for each in embeddings))
    change(station, 'erase', first, last)
    station.wait_for_log('samples were erased from 2 packs of the hub')
    assert packs_at(ada, station.url, ada.credentials) == 3
    assert change(station, 'revoke', 'ada', '--since-sequence', 4)['kept'] == 3


def test_a_copy_of_the_folder_is_the_station(tmp_path: Path) -> None:
    with RunningStation(tmp_path / 'base') as station:
        ada = Robot(station.wait_until_ready().add('ada', '--role', 'teach'))
        teach(ada, 'mug')
        station.end()
    shutil.copytree(tmp_path / 'base', tmp_path / 'other' / 'machine')
    shutil.rmtree(tmp_path / 'base')
    with RunningStation(tmp_path / 'other' / 'machine') as station:
        station.wait_until_ready()
        teach(ada, 'cup')
        assert packs_at(ada, station.url, ada.credentials) == 2
        change(station, 'revoke', 'ada')
        assert roster_of(station).version == 3


def test_a_restored_station_gets_its_newer_roster_back(tmp_path: Path) -> None:
    with RunningStation(tmp_path / 'base') as station:
        ada = Robot(station.wait_until_ready().add('ada', '--role', 'teach'))
        wait_until(lambda: listens(station))
        station.end()
        shutil.copytree(tmp_path / 'base', tmp_path / 'backup')
    with RunningStation(tmp_path / 'base') as station:
        station.wait_until_ready().add('bob', '--role', 'teach')
        newer = station.folder.roster_message()
        station.end()
    assert newer is not None
    with RunningStation(tmp_path / 'backup') as station:
        station.wait_until_ready()

        async def bring_back() -> None:
            hub = await connected(ada)
            await hub.publish(f'roster.{ada.key.public}', newer, 'newer')
            await hub.close()

        run(bring_back())
        station.wait_for_log('a newer roster came from a hub')
        assert in_roster(station, 'bob').may_connect


def test_a_site_goes_on_while_the_base_is_away(tmp_path: Path) -> None:
    base = RunningStation(tmp_path / 'base').wait_until_ready()
    ada = Robot(base.add('ada', '--role', 'teach'))
    base.add('site', '--role', 'propose', '--hub-name', 'localhost')
    options = ('--upstream', base.url, '--credentials', tmp_path / 'site.json')
    with RunningStation(tmp_path / 'site', *options) as site:
        # It learns from the base who may connect.
        site.wait_until_ready().wait_until_reloaded()
        teach(ada, 'mug', url=site.url)
        report(ada, 1000, url=site.url, version=7)
        wait_until(lambda: member_status(base, 'ada')['state'] == 'here', 0.5)
        assert member_status(base, 'ada')['report']['version'] == 7
        base.end()
        teach(ada, 'cup', url=site.url)
        with RunningStation(tmp_path / 'base') as again:
            again.wait_until_ready()
            wait_until(lambda: packs_at(ada, again.url, ada.credentials) == 2, 0.5)
            bob = Robot(again.add('bob', '--role', 'teach'))
            teach(bob, 'pen')
            wait_until(lambda: packs_at(bob, site.url, site.folder.credentials()) == 1, 0.5)
            # The pack and the roster with its author come independently of each other.
            wait_until(lambda: is_member(site, 'bob'), 0.1)
            change(again, 'revoke', 'bob')
            wait_until(lambda: not in_roster(site, 'bob').may_connect, 0.1)


def test_a_limit_can_be_changed(tmp_path: Path) -> None:
    for limit, num_bytes in (('1GB', 10**9), ('3GB', 3 * 10**9), ('2GB', 2 * 10**9)):
        with RunningStation(tmp_path / 'base', '--limit', limit) as station:
            station.wait_until_ready()
            assert status(station)['hub']['max_bytes'] == num_bytes
            station.end()


def test_a_clock_that_is_wrong_is_reported(station: RunningStation) -> None:
    ada = Robot(station.add('ada'))
    report(ada, 1000, gate='served')
    found = status(station)
    assert any('ada: its clock is' in each and 'behind' in each for each in found['problems'])
    assert member_status(station, 'ada')['report']['gate'] == 'served'


def test_the_folder_of_a_base_is_no_site(station: RunningStation, tmp_path: Path) -> None:
    site = station.add('site', '--hub-name', 'localhost')
    path = tmp_path / 'site.json'
    replace(site).write(path)
    options = ('--upstream', station.url, '--credentials', path)
    with RunningStation(station.folder.path, *options) as second:
        second.wait_for_log('is the folder of a base station')
        assert second.wait() == 2
    assert StationFolder(station.folder.path).is_base
