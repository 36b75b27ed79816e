# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A hostile member of a fleet at a real hub, with its key and nothing to lose."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import contextlib
import json
import ssl
from typing import Any

from edgetpu_retrain.errors import HubDeniedError, HubError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.streams import (
    EVIDENCE,
    evidence_subject,
    RELEASES,
    report_subject,
    REPORTS,
    ROSTER,
)
from edgetpu_retrain.fleet.station.certificates import make_authority
from edgetpu_retrain.fleet.station.credentials import Credentials
import pytest
from support.hub_network import run, until
from support.running_station import Robot, RunningStation, status

STREAMS = (EVIDENCE, ROSTER, RELEASES, REPORTS)


@pytest.fixture(scope='module')
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStation]:
    with RunningStation(tmp_path_factory.mktemp('fleet') / 'base') as running:
        yield running.wait_until_ready()


@pytest.fixture(scope='module')
def victim(station: RunningStation) -> Robot:
    return Robot(station.add('victim', '--role', 'teach', '--role', 'release'))


@pytest.fixture(scope='module')
def eve(station: RunningStation) -> Robot:
    return Robot(station.add('eve', '--role', 'teach'))


async def connected(robot: Robot) -> Hub:
    """Connect as soon as the hub has read its new configuration."""
    hubs: list[Hub] = []

    async def try_once() -> bool:
        try:
            hubs.append(await robot.connect())
        except HubError:
            return False
        return True

    await until(try_once)
    return hubs[0]


async def denied(hub: Hub, subject: str, content: bytes = b'{}') -> None:
    """Expect that the hub denies a message."""
    with pytest.raises(HubDeniedError):
        await hub.request(subject, content)


def test_a_member_publishes_in_its_own_name_only(
    station: RunningStation, eve: Robot, victim: Robot
) -> None:
    async def try_it() -> None:
        hub = await connected(eve)
        await eve.teach(hub, 'mug')
        token, other = eve.space.token, victim.key.public
        for subject in (
            f'evidence.{token}.{eve.key.public}.{other}',
            f'release.{token}.{other}',
            f'roster.{other}',
            f'report.{other}.{other}',
            f'report.{eve.key.public}',
            f'evidence.{token}.{other}.*',
            f'evidence.{token}.{eve.key.public}',
            f'evidence.{token}.{other}.{eve.key.public}.more',
            'anything',
        ):
            await denied(hub, subject)
        # It has not the role release.
        await denied(hub, f'release.{token}.{eve.key.public}')
        await hub.close()

    run(try_it())
    assert status(station)['hub']['messages'] >= 1


def test_a_member_without_the_role_publishes_no_evidence(station: RunningStation) -> None:
    reader = Robot(station.add('reader', '--role', 'read'))

    async def try_it() -> None:
        hub = await connected(reader)
        await denied(
            hub, report_subject(station.folder.credentials().key.public, reader.key.public)
        )
        await denied(
            hub, evidence_subject(reader.space.token, reader.key.public, reader.key.public)
        )
        await hub.close()

    run(try_it())


@pytest.mark.parametrize('stream', STREAMS)
def test_a_member_deletes_and_changes_no_stream(
    station: RunningStation, eve: Robot, stream: str
) -> None:
    before = status(station)['hub']['messages']

    async def try_it() -> None:
        hub = await connected(eve)
        for call in (
            'STREAM.PURGE',
            'STREAM.DELETE',
            'STREAM.MSG.DELETE',
            'STREAM.UPDATE',
            'STREAM.CREATE',
            'STREAM.RESTORE',
            'STREAM.SNAPSHOT',
            'STREAM.LEADER.STEPDOWN',
            'STREAM.MSG.GET',
            'STREAM.INFO',
            'DIRECT.GET',
            'CONSUMER.LIST',
            'CONSUMER.NAMES',
            'CONSUMER.DURABLE.CREATE',
        ):
            await denied(hub, f'$JS.API.{call}.{stream}', b'{"seq": 1}')
        for call in ('CONSUMER.INFO', 'CONSUMER.DELETE', 'CONSUMER.PAUSE'):
            await denied(hub, f'$JS.API.{call}.{stream}.any')
        await hub.close()

    run(try_it())
    assert status(station)['hub']['messages'] == before


def test_a_member_learns_nothing_of_the_server_and_other_accounts(eve: Robot) -> None:
    async def try_it() -> None:
        hub = await connected(eve)
        for subject in (
            '$SYS.REQ.SERVER.PING',
            '$SYS.REQ.USER.INFO',
            '$SYS.REQ.ACCOUNT.FLEET.CONNZ',
            '$JS.API.INFO',
            '$JS.API.STREAM.NAMES',
            '$JS.API.STREAM.LIST',
            '$JS.API.ACCOUNT.PURGE.FLEET',
            '$G.any',
        ):
            await denied(hub, subject)
        await hub.close()

    run(try_it())


def test_a_member_reads_no_reports(eve: Robot) -> None:
    async def try_it() -> None:
        hub = await connected(eve)
        config = {'name': 'spy', 'filter_subject': 'report.*.*', 'ack_policy': 'none'}
        request = json.dumps({'stream_name': REPORTS, 'config': config}).encode()
        await denied(hub, f'$JS.API.CONSUMER.CREATE.{REPORTS}.spy.report.*.*', request)
        # What the request says about its filter must be what its subject says.
        other = f'$JS.API.CONSUMER.CREATE.{EVIDENCE}.spy.evidence.*.*.*'
        with pytest.raises(HubError):
            await hub.request(other, request)
        await hub.close()

    run(try_it())


def test_a_member_hears_nothing_of_others(eve: Robot, victim: Robot) -> None:
    heard: list[Any] = []
    errors: list[str] = []

    async def try_it() -> None:
        hub, of_victim = await connected(eve), await connected(victim)

        async def note(message: Any) -> None:
            heard.append(message)

        subjects = (
            '>',
            '*.>',
            '_INBOX.>',
            f'_INBOX_{victim.key.public}.>',
            'evidence.>',
            'report.>',
            '$JS.>',
            '$SYS.>',
        )
        hub.deny = errors.append  # type: ignore[method-assign,assignment]
        for subject in subjects:
            await hub.client.subscribe(subject, cb=note)
        await hub.client.flush()
        await until(lambda: len(errors) == len(subjects))
        await victim.teach(of_victim, 'cup')
        await of_victim.publish_report(b'{}')
        await of_victim.client.flush()
        await hub.client.flush()
        await hub.close()
        await of_victim.close()

    run(try_it())
    assert heard == []
    assert all('permissions violation for subscription' in error for error in errors)


def test_strangers_do_not_connect(station: RunningStation, eve: Robot) -> None:
    mine = eve.credentials
    stranger = Credentials('x', Key.generate().seed, mine.fleet, mine.url, mine.ca)

    async def try_it() -> None:
        with pytest.raises(HubError, match='does not accept'):
            await connect(stranger.url, stranger)
        # Without TLS no word of the protocol passes.
        reader, writer = await asyncio.open_connection('127.0.0.1', station.folder.settings().port)
        assert b'"tls_required":true' in await reader.readline()
        writer.write(b'CONNECT {"verbose":true}\r\nPING\r\n')
        words = b''
        with contextlib.suppress(ConnectionResetError):
            words = await reader.read()
        assert b'PONG' not in words
        writer.transport.abort()

    run(try_it())


def test_another_authority_is_rejected(eve: Robot) -> None:
    mine = eve.credentials
    wrong = Credentials('x', mine.seed, mine.fleet, mine.url, make_authority(mine.fleet).pem)

    async def try_it() -> None:
        with pytest.raises(HubError, match='certificate is not accepted') as caught:
            await connect(wrong.url, wrong)
        assert isinstance(caught.value.__cause__, (ssl.SSLError, OSError))

    run(try_it())
