# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Connections to a real NATS server: who may do what, and how it says what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
import signal
import socket
import struct

from edgetpu_retrain.errors import (
    FleetError,
    HubDeniedError,
    HubError,
    HubFullError,
    HubLostError,
    HubRefusedError,
)
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub import connection
from edgetpu_retrain.fleet.hub.connection import connect, Hub
from edgetpu_retrain.fleet.hub.reports import read_reports, Report
from edgetpu_retrain.fleet.hub.stream_creation import create_streams
from edgetpu_retrain.fleet.hub.stream_reader import open_reader, StreamMessage, StreamReader
from edgetpu_retrain.fleet.hub.streams import EVIDENCE, INACTIVE_S, report_subject
from edgetpu_retrain.fleet.station.certificates import make_authority, make_hub_certificate
import pytest
from support.hub_network import run
from support.hub_server import HubServer, TestCredentials

ADA, BOB = Key.generate(), Key.generate()
ADAS, BOBS = TestCredentials(ADA.seed), TestCredentials(BOB.seed)


@pytest.fixture(scope='module')
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    folder = tmp_path_factory.mktemp('hub') / 'hub'
    with HubServer(folder, {ADA.public: ['teach'], BOB.public: ['read']}) as server:
        run(prepare(server))
        yield server


async def prepare(server: HubServer, evidence_bytes: int = -1) -> None:
    hub = await connect(server.url, server.station_credentials)
    await create_streams(hub, evidence_bytes)
    await hub.close()


async def read(reader: StreamReader, count: int) -> list[StreamMessage]:
    found: list[StreamMessage] = []
    while len(found) < count:
        found += await reader.read()
    return found


def skip_before_2_10(hub: Hub) -> None:
    version = hub.client.connected_server_version
    if (version.major, version.minor) < (2, 10):
        pytest.skip('needs nats-server 2.10 or newer')


def test_what_is_present_is_read_to_an_end_while_a_member_publishes(server: HubServer) -> None:
    async def scenario() -> None:
        ada, bob = await connect(server.url, ADAS), await connect(server.url, BOBS)
        subject = f'evidence.0456.{ADA.public}.{ADA.public}'
        for number in range(600):
            await ada.client.publish(subject, b'%d' % number)
        await ada.publish(subject, b'last', '')
        reader = await open_reader(bob, EVIDENCE, 'evidence.0456.*.*', 1)
        found = []
        async for message in reader.read_present():
            found.append(message.data)
            for _ in range(2):  # It always publishes more than is read.
                await ada.client.publish(subject, b'more')
            await ada.client.flush()
            assert len(found) < 2000
        assert found[:601] == [*(b'%d' % number for number in range(600)), b'last']
        await ada.close()
        await bob.close()

    run(scenario())


@pytest.mark.parametrize('left', [[], [b'2']])
def test_messages_that_are_deleted_meanwhile_are_not_waited_for(
    server: HubServer, left: list[bytes]
) -> None:
    async def scenario() -> None:
        ada, bob = await connect(server.url, ADAS), await connect(server.url, BOBS)
        station = await connect(server.url, server.station_credentials)
        if not left:
            # Before, it does not respond that nothing is left, which is an error after 90 s.
            skip_before_2_10(bob)
        space = f'078{len(left)}'
        subjects = f'evidence.{space}.*.*'
        for number in range(3):
            subject = f'evidence.{space}.{ADA.public}.{ADA.public}'
            await ada.publish(subject, b'%d' % number, f'{space} {number}')
        reader = await open_reader(bob, EVIDENCE, subjects, 1)
        assert reader.behind == 3
        await station.api(f'STREAM.PURGE.{EVIDENCE}', {'filter': subjects, 'keep': len(left)})
        assert [message.data async for message in reader.read_present()] == left
        for hub in (ada, bob, station):
            await hub.close()

    run(scenario())


def test_messages_are_read_in_order_once_and_as_they_come(server: HubServer) -> None:
    async def scenario() -> None:
        ada, bob = await connect(server.url, ADAS), await connect(server.url, BOBS)
        subject = f'evidence.0123.{ADA.public}.{ADA.public}'
        numbers = [
            await ada.publish(subject, b'%d' % each, f'in order {each}') or 0 for each in range(3)
        ]
        assert await ada.publish(subject, b'0', 'in order 0') is None
        reader = await open_reader(bob, EVIDENCE, 'evidence.0123.*.*', 1)
        assert reader.behind == 3
        messages = await read(reader, 3)
        assert [each.data for each in messages] == [b'0', b'1', b'2']
        assert [each.sequence for each in messages] == numbers
        assert reader.behind == 0
        await ada.publish(subject, bytes(4 << 20), 'in order, large')
        assert [len(each.data) for each in await read(reader, 1)] == [4 << 20]
        again = await open_reader(bob, EVIDENCE, 'evidence.0123.*.*', numbers[2])
        assert (await read(again, 2))[0] == messages[2]
        await ada.close()
        await bob.close()

    run(scenario())


def test_more_messages_are_read_than_are_asked_for_at_once(server: HubServer) -> None:
    async def scenario() -> None:
        ada = await connect(server.url, ADAS)
        for number in range(600):
            await ada.publish(
                f'evidence.4567.{ADA.public}.{ADA.public}', b'%d' % number, f'many {number}'
            )
        reader = await open_reader(ada, EVIDENCE, 'evidence.4567.*.*', 1)
        messages = await read(reader, 600)
        assert [int(each.data) for each in messages] == list(range(600))
        await reader.close()
        await ada.close()

    run(scenario())


def test_more_than_a_thousand_members_can_read(server: HubServer) -> None:
    async def scenario() -> None:
        ada = await connect(server.url, ADAS)
        for _ in range(11):
            await asyncio.gather(
                *(open_reader(ada, EVIDENCE, 'evidence.0123.*.*', 1) for _ in range(100))
            )
        await ada.close()

    run(scenario())


def test_a_cancelled_attempt_to_connect_closes_its_socket() -> None:
    async def scenario() -> None:
        connected, closed = asyncio.Event(), asyncio.Event()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'INFO {"nonce": "abc", "headers": true, "max_payload": 1000000}\r\n')
            await reader.readuntil(b'PING')
            connected.set()  # The client waits for PONG now.
            await reader.read()
            closed.set()
            writer.close()

        server = await asyncio.start_server(accept, '127.0.0.1', 0)
        port = server.sockets[0].getsockname()[1]
        attempt = asyncio.create_task(connect(f'nats://127.0.0.1:{port}', ADAS))
        await connected.wait()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await closed.wait()
        server.close()

    run(scenario())


def test_no_consumer_stays_without_its_member(server: HubServer) -> None:
    async def scenario() -> None:
        ada = await connect(server.url, ADAS)
        skip_before_2_10(ada)
        request = f'CONSUMER.CREATE.{EVIDENCE}.stays.evidence.0123.*.*'
        config: dict[str, object] = {
            'durable_name': 'stays',
            'filter_subject': 'evidence.0123.*.*',
        }
        made = await ada.api(request, {'stream_name': EVIDENCE, 'config': config})
        assert made['config']['inactive_threshold'] == INACTIVE_S * 10**9
        config |= {'inactive_threshold': (INACTIVE_S + 1) * 10**9}
        with pytest.raises(HubRefusedError, match='inactive threshold exceeds'):
            await ada.api(request, {'stream_name': EVIDENCE, 'config': config})
        await ada.close()

    run(scenario())


def test_a_member_may_publish_only_in_its_own_name(server: HubServer) -> None:
    async def scenario() -> None:
        ada, bob = await connect(server.url, ADAS), await connect(server.url, BOBS)
        for hub, subject in (
            (ada, f'evidence.0123.{BOB.public}.{BOB.public}'),
            (ada, f'release.0123.{ADA.public}'),
            (bob, f'evidence.0123.{BOB.public}.{BOB.public}'),
        ):
            with pytest.raises(HubDeniedError, match='does not let this key'):
                await hub.publish(subject, b'', 'denied')
        for request in ('STREAM.INFO.EVIDENCE', 'STREAM.DELETE.EVIDENCE', 'STREAM.PURGE.EVIDENCE'):
            with pytest.raises(HubDeniedError):
                await ada.api(request, {})
        with pytest.raises(HubDeniedError):
            await read_reports(ada)
        assert await ada.publish(
            f'evidence.0123.{ADA.public}.{ADA.public}', b'', 'still connected'
        )
        await ada.close()
        await bob.close()

    run(scenario())


def test_streams_are_created_only_by_the_station(server: HubServer) -> None:
    async def scenario() -> None:
        ada = await connect(server.url, ADAS)
        with pytest.raises(HubDeniedError, match='create the stream EVIDENCE: if another'):
            await create_streams(ada, -1)
        await ada.close()

    run(scenario())


def test_a_stream_that_cannot_be_created_is_not_updated(tmp_path: Path) -> None:
    async def scenario(server: HubServer) -> None:
        station = await connect(server.url, server.station_credentials)
        await station.api('STREAM.CREATE.OTHER', {'name': 'OTHER', 'subjects': ['roster.*']})
        with pytest.raises(HubRefusedError, match='subjects overlap'):
            await create_streams(station, -1)
        await station.close()

    with HubServer(tmp_path / 'hub', {}) as server:
        run(scenario(server))


def test_reports_are_kept_one_a_member(server: HubServer) -> None:
    async def scenario() -> None:
        ada, station = (
            await connect(server.url, ADAS),
            await connect(server.url, server.station_credentials),
        )
        for version in (1, 2):
            await ada.publish_report(Report('Ada', 1000, version=version).encode(ADA))
        # A flush does not wait until the hub has stored the reports, a response does.
        subject = report_subject(ADA.public, ADA.public)
        await ada.publish(subject, b'nonsense', '')
        (seen,) = await read_reports(station)
        assert (seen.key, seen.report) == (ADA.public, None)
        await ada.publish(subject, Report('Ada', 1000, version=3).encode(ADA), '')
        (seen,) = await read_reports(station)
        assert seen.report == Report('Ada', 1000, version=3)
        await ada.close()
        await station.close()

    run(scenario())


def test_an_unknown_key_is_rejected_in_words(server: HubServer) -> None:
    with pytest.raises(HubError, match="does not accept this robot's key: add it"):
        run(connect(server.url, TestCredentials(Key.generate().seed)))


@pytest.mark.parametrize('url', ['nats://127.0.0.1:1', 'nats://127.0.0.1:port', 'base', ''])
def test_an_address_without_a_hub_is_rejected_in_words(url: str) -> None:
    with pytest.raises(HubError, match='no hub can be reached at'):
        run(connect(url, ADAS))


def test_damaged_credentials_are_rejected_in_words() -> None:
    for credentials in (TestCredentials('SUAB'), TestCredentials(ADA.seed, ca='nonsense')):
        with pytest.raises(FleetError, match='is not valid'):
            run(connect('nats://127.0.0.1:1', credentials))


def test_a_connection_is_encrypted_or_not_made(server: HubServer, tmp_path: Path) -> None:
    authority, stranger = make_authority(ADA.public), make_authority(BOB.public)
    certificate = make_hub_certificate(authority, ('127.0.0.1',))

    async def scenario(hub: HubServer) -> None:
        ada = await connect(hub.url, TestCredentials(ADA.seed, ca=authority.pem))
        await ada.close()
        for credentials in (TestCredentials(ADA.seed, ca=stranger.pem), ADAS):
            with pytest.raises(HubError, match='its certificate is not accepted'):
                await connect(hub.url, credentials)
        # A server that asks for an open connection gets no proof of the key.
        with pytest.raises(HubError, match='it does not encrypt'):
            await connect(server.url, TestCredentials(ADA.seed, ca=authority.pem))

    with HubServer(
        tmp_path / 'hub', {ADA.public: ['teach']}, jetstream=False, certificate=certificate
    ) as hub:
        run(scenario(hub))


def test_a_request_succeeds_while_the_hub_reloads_its_members(tmp_path: Path) -> None:
    async def scenario(server: HubServer) -> None:
        await prepare(server)
        hub = await connect(server.url, server.station_credentials)
        # Before, JetStream may respond that it is not enabled, or not respond (docs/fleet.md).
        skip_before_2_10(hub)
        reloading = asyncio.create_task(asyncio.to_thread(reload_often, server))
        while not reloading.done():
            await hub.api('STREAM.INFO.EVIDENCE', {})
        await reloading
        await hub.close()

    def reload_often(server: HubServer) -> None:
        for _ in range(20):
            server.reload({Key.generate().public: ['teach'] for _ in range(20)})

    with HubServer(tmp_path / 'hub', {}) as server:
        run(scenario(server))


def test_a_hub_that_ends_a_connection_at_its_beginning_loses_it() -> None:
    async def end_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"max_payload": 8388608, "headers": true, "nonce": "0"}\r\n')
        assert (await reader.readline()).startswith(b'CONNECT')
        # A reset, which is not an orderly end.
        link: socket.socket = writer.get_extra_info('socket')
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        writer.transport.abort()

    async def scenario() -> None:
        server = await asyncio.start_server(end_it, '127.0.0.1', 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HubLostError, match='no hub can be reached'):
            await connect(f'nats://127.0.0.1:{port}', ADAS)
        server.close()

    run(scenario())


def test_a_hub_for_which_a_robot_is_too_slow_does_not_reject_its_key() -> None:
    async def end_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"max_payload": 8388608, "headers": true, "nonce": "0"}\r\n')
        await reader.readuntil(b'PING')
        writer.write(b"-ERR 'Authentication Timeout'\r\n")
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(end_it, '127.0.0.1', 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HubLostError, match=r'no hub can be reached .*authentication timeout'):
            await connect(f'nats://127.0.0.1:{port}', ADAS)
        server.close()

    run(scenario())


def test_the_end_of_a_hub_ends_what_waits_for_it(tmp_path: Path) -> None:
    async def scenario(server: HubServer) -> None:
        await prepare(server)
        hub = await connect(server.url, ADAS)
        reader = await open_reader(hub, EVIDENCE, 'evidence.0123.*.*', 1)
        reading = asyncio.ensure_future(reader.read())
        await asyncio.sleep(0)
        server.kill()
        with pytest.raises(HubLostError):
            await reading
        with pytest.raises(HubLostError):
            await hub.publish(f'evidence.0123.{ADA.public}.{ADA.public}', b'', 'lost')
        await hub.close()

    with HubServer(tmp_path / 'hub', {ADA.public: ['teach']}) as server:
        run(scenario(server))


def test_a_hub_that_stops_responding_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(server: HubServer) -> None:
        await prepare(server)
        monkeypatch.setattr(connection, '_PING_S', 0.2)
        monkeypatch.setattr(connection, '_CHECK_S', 0.1)
        hub = await connect(server.url, ADAS)
        server.signal(signal.SIGSTOP)
        try:
            # More than the sockets hold, so that the client cannot even send it.
            with pytest.raises(HubLostError):
                await hub.publish(
                    f'evidence.0123.{ADA.public}.{ADA.public}', bytes(7 << 20), 'never sent'
                )
            await hub.close()
        finally:
            server.signal(signal.SIGCONT)

    with HubServer(tmp_path / 'hub', {ADA.public: ['teach']}) as server:
        run(scenario(server))


def test_a_hub_without_jetstream_is_named(tmp_path: Path) -> None:
    async def scenario(server: HubServer) -> None:
        hub = await connect(server.url, ADAS)
        for request in (
            hub.publish(f'evidence.0123.{ADA.public}.{ADA.public}', b'', 'nowhere'),
            open_reader(hub, EVIDENCE, 'evidence.0123.*.*', 1),
        ):
            with pytest.raises(HubError, match='turns JetStream on'):
                await request
        await hub.close()

    with HubServer(tmp_path / 'hub', {ADA.public: ['teach']}, jetstream=False) as server:
        run(scenario(server))


def test_limits_of_a_hub_are_distinguished(tmp_path: Path) -> None:
    async def scenario(server: HubServer) -> None:
        await prepare(server, 1 << 20)
        hub = await connect(server.url, ADAS)
        subject = f'evidence.0123.{ADA.public}.{ADA.public}'
        assert hub.max_bytes < 1 << 20
        with pytest.raises(HubRefusedError, match='set its max_payload to 8MB'):
            await hub.publish(subject, bytes(1 << 20), 'too large')
        await hub.publish(subject, bytes(900_000), 'fits')
        with pytest.raises(HubFullError, match='is full'):
            await hub.publish(subject, bytes(900_000), 'more')
        await prepare(server, 1 << 24)
        assert await hub.publish(subject, bytes(900_000), 'more') == 2
        await hub.close()

    with HubServer(tmp_path / 'hub', {ADA.public: ['teach']}, max_payload=1 << 20) as server:
        run(scenario(server))
