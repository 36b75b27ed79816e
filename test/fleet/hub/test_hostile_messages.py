# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages that a member makes by hand: no other member stops at them."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

from edgetpu_retrain.fleet.evidence.keys import Key
import nkeys
import pytest
from support.hub_network import run, until
from support.hub_server import HubServer
from support.online_member import are_equal, FleetMember, prepare, roster_of, SPACE

ADA, BOB, EVE = KEYS = [Key.generate() for _ in range(3)]
ROSTER = roster_of(KEYS)
RIGHTS = {key.public: ['teach', 'release'] for key in KEYS}
HEADERS = [
    b'',
    b'\r\n',
    b'NATS/1.0',
    b'NATS/1.0\r\n',
    b'NATS/1.0 100\r\n\r\n',
    b'NATS/1.0 409 Consumer Deleted\r\n\r\n',
    b'NATS/1.0 \xff\xff\xff \xff\r\n\r\n',
    b'NATS/1.0\r\nStatus: 409\r\n\r\n',
    b'NATS/1.0\r\n\xff: \xff\r\n\r\n',
    b'NATS/1.0\r\n' + b'A: b\r\n' * 10_000 + b'\r\n',
    b'N',  # the last one, which the stream of rosters keeps
]


async def publish_by_hand(
    hub: HubServer, key: Key, subject: str, headers: bytes, data: bytes
) -> bytes:
    """Publish a message with any headers, and return the server's response."""
    reader, writer = await asyncio.open_connection('127.0.0.1', hub.port)
    nonce = json.loads((await reader.readline()).removeprefix(b'INFO '))['nonce'].encode()
    signature = base64.urlsafe_b64encode(nkeys.from_seed(key.seed.encode()).sign(nonce))
    answer = {'nkey': key.public, 'sig': signature.decode().rstrip('='), 'headers': True}
    lengths = f'{len(headers)} {len(headers) + len(data)}'
    writer.write(b'CONNECT %s\r\nHPUB ' % json.dumps({**answer, 'verbose': True}).encode())
    writer.write(f'{subject} {lengths}\r\n'.encode() + headers + data + b'\r\n')
    lines = [await reader.readline() for _ in range(2)]
    writer.close()
    return lines[-1]


@pytest.mark.parametrize(
    'subject', ['evidence.{token}.{key}.{key}', 'roster.{key}', 'release.{token}.{key}']
)
def test_malformed_headers_stop_nobody(tmp_path: Path, subject: str) -> None:
    named = subject.format(token=SPACE.token, key=EVE.public)

    async def scenario(hub: HubServer) -> None:
        await prepare(hub)
        ada, bob = (FleetMember(key, [hub.url], ROSTER) for key in (ADA, BOB))
        async with ada:
            for headers in HEADERS:
                assert await publish_by_hand(hub, EVE, named, headers, b'data') == b'+OK\r\n'
            ada.teach(3, 'cup', 1)
            # Who was there at the time, and who comes later.
            async with bob:
                await until(are_equal(ada, bob, count=3))
                bob.teach(2, 'mug', 2)
                await until(are_equal(ada, bob, count=5))
                assert ada.status.problem == bob.status.problem == ''

    with HubServer(tmp_path / 'hub', RIGHTS) as hub:
        run(scenario(hub))
