# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The reports of a site reach the base, and only those that say who is here."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub import report_relay
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.report_relay import relay_reports
from edgetpu_retrain.fleet.hub.reports import read_reports, Report
from edgetpu_retrain.fleet.hub.streams import report_subject
import pytest
from support.hub_network import run, until
from support.hub_server import HubServer, TestCredentials
from support.online_member import prepare

ADA, BOB, EVE = KEYS = [Key.generate() for _ in range(3)]
RIGHTS = {key.public: ['teach'] for key in KEYS}


async def connected(hub: HubServer, *keys: Key) -> list[Hub]:
    """Return a connection with each key, and one with that of the station."""
    found = [await connect(hub.url, TestCredentials(key.seed)) for key in keys]
    return [*found, await connect(hub.url, hub.station_credentials)]


async def publish(hub: Hub, key: Key, report: Report) -> None:
    """Publish a report of any member, and wait until the hub has stored it."""
    await hub.publish(report_subject(key.public, hub.key), report.encode(key), '')


def test_recent_reports_of_members_are_relayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_relay, '_PAUSE_S', 0.01)
    monkeypatch.setattr(report_relay, '_RECENT_MS', 600_000)

    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        ada, bob, eve, station = await connected(hub, ADA, BOB, EVE)
        relayed: list[tuple[str, Report]] = []

        async def receive(about: str, message: bytes) -> None:
            relayed.append((about, Report.decode(message, about)))

        def is_relayed(key: Key, report: Report) -> bool:
            return (key.public, report) in relayed

        first, second = Report('Ada', 1000), Report('Ada', 2000)
        await publish(ada, ADA, first)
        relay = asyncio.create_task(
            relay_reports(station, receive, lambda key: key in {ADA.public, BOB.public})
        )
        await until(lambda: is_relayed(ADA, first))
        await publish(ada, ADA, second)
        await until(lambda: is_relayed(ADA, second))
        # Nobody but a member reports, and nobody repeats what a member has reported.
        await publish(eve, EVE, Report('Eve', 3000))
        await publish(eve, ADA, first)
        await publish(bob, BOB, Report('Bob', 500))
        await until(lambda: is_relayed(BOB, Report('Bob', 500)))
        assert len(relayed) == 3
        # The clock of a robot may be set back.
        await publish(ada, ADA, Report('Ada', 700))
        await until(lambda: is_relayed(ADA, Report('Ada', 700)))
        relay.cancel()
        for each in (ada, bob, eve, station):
            await each.close()

    with HubServer(tmp_path / 'site', RIGHTS) as hub:
        run(scenario(hub))


def test_a_report_that_was_received_long_ago_is_not_relayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_relay, '_PAUSE_S', 0.01)
    # As if all clocks were ten minutes later when the report is read.
    monkeypatch.setattr(report_relay, '_RECENT_MS', -600_000)

    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        ada, bob, station = await connected(hub, ADA, BOB)
        read: list[str] = []
        relayed: list[str] = []

        async def receive(about: str, _: bytes) -> None:
            relayed.append(about)

        def is_member(key: str) -> bool:
            read.append(key)
            return True

        relay = asyncio.create_task(relay_reports(station, receive, is_member))
        await publish(ada, ADA, Report('Ada', 1000))
        await until(lambda: read == [ADA.public])
        monkeypatch.setattr(report_relay, '_RECENT_MS', 600_000)
        await publish(bob, BOB, Report('Bob', 1000))
        await until(lambda: relayed == [BOB.public])
        relay.cancel()
        for each in (ada, bob, station):
            await each.close()

    with HubServer(tmp_path / 'site', RIGHTS) as hub:
        run(scenario(hub))


def test_very_many_reports_of_one_do_not_delay_those_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_relay, '_PAUSE_S', 1e6)
    monkeypatch.setattr(report_relay, '_RECENT_MS', 600_000)

    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        ada, eve, station = await connected(hub, ADA, EVE)
        for number in range(1000):
            await eve.publish_report(b'nonsense', f'nobody{number}')
        await eve.client.flush()
        await publish(ada, ADA, Report('Ada', 1000))
        relayed: list[str] = []

        async def receive(about: str, _: bytes) -> None:
            relayed.append(about)

        relay = asyncio.create_task(relay_reports(station, receive, ADA.public.__eq__))
        await until(lambda: relayed == [ADA.public])
        relay.cancel()
        for each in (ada, eve, station):
            await each.close()

    with HubServer(tmp_path / 'site', RIGHTS) as hub:
        run(scenario(hub))


def test_the_base_shows_the_newest_report_and_when_it_first_came(tmp_path: Path) -> None:
    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        ada, bob, eve, station = await connected(hub, ADA, BOB, EVE)
        old, new = Report('Ada', 1000, version=1), Report('Ada', 2000, version=2)
        await publish(ada, ADA, old)
        await publish(bob, ADA, new)
        (first,) = await read_reports(station)
        assert first.report == new
        await publish(eve, ADA, new)
        await publish(eve, BOB, Report('Bob', 3000))
        by_key = {each.key: each for each in await read_reports(station)}
        assert by_key[ADA.public] == first
        assert by_key[BOB.public].report == Report('Bob', 3000)
        # An own message that cannot be read does not hide a relayed report.
        await ada.publish(report_subject(ADA.public, ADA.public), b'nonsense', '')
        by_key = {each.key: each for each in await read_reports(station)}
        assert by_key[ADA.public] == first
        for each in (ada, bob, eve, station):
            await each.close()

    with HubServer(tmp_path / 'base', RIGHTS) as hub:
        run(scenario(hub))
