# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Hostile clients: nothing is changed, nothing grows, and each is refused in a sentence."""

from __future__ import annotations

import base64
from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
import resource
import socket
import ssl
import subprocess
import threading

from edgetpu_retrain.page.access import connections, rates, sockets
from edgetpu_retrain.page.options import Options
import pytest
from support.page_server import PageServer, received
from support.waiting import wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

MEGABYTE = b' ' * 1_000_000


@pytest.fixture
def server() -> Iterator[PageServer]:
    """Return a server for this machine only."""
    with PageServer() as running:
        yield running
        wait_until(lambda: len(running.sockets) == 0)


def post(server: PageServer, *headers: str) -> bytes:
    """Return the head of a request of the page."""
    lines = (
        'POST /api/write HTTP/1.1',
        f'Host: {server.host}',
        f'Origin: {server.origin}',
        'Content-Type: application/json',
        *headers,
    )
    return '\r\n'.join((*lines, '', '')).encode()


def upgrade(server: PageServer, origin: str | None, path: str = '/socket') -> socket.socket:
    """Ask for a WebSocket."""
    lines = [
        f'GET {path} HTTP/1.1',
        f'Host: {server.host}',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        f'Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}',
        *([] if origin is None else [f'Origin: {origin}']),
    ]
    return server.connect('\r\n'.join((*lines, '', '')).encode())


def status_of(client: socket.socket) -> int:
    return int(client.recv(65536).split(b' ')[1])


def frame(content: bytes, opcode: int = 1, declared: int | None = None) -> bytes:
    """Return a frame of a WebSocket client, masked with zeros."""
    size = len(content) if declared is None else declared
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = bytes([0x80 | 126]) + size.to_bytes(2, 'big')
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, 'big')
    return bytes([0x80 | opcode]) + length + bytes(4) + content


def test_a_body_that_declares_a_gigabyte_is_refused_at_once(server: PageServer) -> None:
    client = server.connect(post(server, f'Content-Length: {10**9}'))
    answer = client.recv(65536)
    assert b' 413 ' in answer
    assert b'send less at once' in answer + client.recv(65536)
    client.close()
    assert not server.writes


def test_a_body_without_a_length_is_read_no_further_than_the_limit(server: PageServer) -> None:
    client = server.connect(post(server, 'Transfer-Encoding: chunked'))
    chunk = f'{len(MEGABYTE):x}\r\n'.encode() + MEGABYTE + b'\r\n'
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(OSError):
        for _ in range(1000):
            client.sendall(chunk)
    answer = received(client)
    assert b' 413 ' in answer
    assert b'send less at once' in answer
    client.close()
    assert not server.writes
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes
    wait_until(lambda: server.connections() == 0)


def test_a_slow_body_is_refused(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('edgetpu_retrain.page.bodies.BODY_TIME_S', 0.2)
    client = server.connect(post(server, 'Content-Length: 10') + b'{"a"')
    assert b' 408 ' in received(client)
    assert not server.writes


def test_headers_that_never_end_do_not_keep_a_connection(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(connections, 'FIRST_REQUEST_S', 0.3)
        silent, slow = server.connect(), server.connect()
        with contextlib.suppress(OSError):  # its time may be over on a busy machine
            slow.sendall(b'GET / HTTP/1.1\r\nHost: ')
        assert received(silent) == received(slow) == b''
        wait_until(lambda: server.connections() == 0)
    # After a first request, a connection stays.
    kept = server.connect(f'GET /api/me HTTP/1.1\r\nHost: {server.host}\r\n\r\n'.encode())
    assert status_of(kept) == 200
    assert server.deadlines() == 0
    assert server.connections() == 1


@pytest.mark.parametrize(
    'content',
    [
        b'\x16\x03\x01\x02\x00' + bytes(200),
        b'GET ' + b'/' * 100_000 + b' HTTP/1.1\r\n\r\n',
        b'GET / HTTP/1.1\r\n' + b'X: ' + b'x' * 100_000 + b'\r\n\r\n',
        b'\r\n' * 1000 + b'\x00' * 1000,
    ],
)
def test_what_is_no_http_is_refused_and_not_logged(
    server: PageServer, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = server.connect()
    with contextlib.suppress(OSError):  # it may be closed before all has arrived
        client.sendall(content)
    answer = received(client)
    assert answer == b'' or b' 400 ' in answer
    assert not caplog.records
    assert server.request('GET', '/').status == 200


def test_a_hundred_idle_connections_do_not_lock_others_out(server: PageServer) -> None:
    tasks = server.tasks()
    idle = [server.connect() for _ in range(100)]
    for _ in range(3):
        assert server.request('GET', '/api/me').status == 200
    assert server.connections() <= connections.MAX_CONNECTIONS_OF_CLIENT
    for client in idle:
        client.close()
    wait_until(lambda: server.connections() == 0)
    wait_until(lambda: server.tasks() <= tasks)


def test_too_many_connections_with_requests_are_refused_in_a_sentence(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, 'MAX_CONNECTIONS_OF_CLIENT', 2)
    busy = [upgrade(server, server.origin) for _ in range(2)]
    assert [status_of(client) for client in busy] == [101, 101]
    refused = received(server.connect())
    assert b' 503 ' in refused
    assert b'too many connections' in refused
    for client in busy:
        client.close()
    wait_until(lambda: server.connections() == 0)
    assert server.request('GET', '/').status == 200


def test_as_many_requests_as_a_client_can_send_are_served_until_the_limit(
    server: PageServer,
) -> None:
    assert rates.WRITES_AT_ONCE < 500
    replies = [server.request('POST', '/api/write', {'n': n}) for n in range(500)]
    statuses = [reply.status for reply in replies]
    assert set(statuses) == {200, 429}
    assert len(server.writes) == statuses.count(200)
    refused = replies[statuses.index(429)]
    assert 'a second' in refused.message
    # Reading goes on.
    assert server.request('GET', '/api/me').status == 200


@pytest.mark.parametrize('origin', [None, 'null', 'http://evil.example', 'http://127.0.0.1'])
def test_a_websocket_of_another_page_is_refused(server: PageServer, origin: str | None) -> None:
    client = upgrade(server, origin)
    assert status_of(client) == 403
    client.close()


def test_the_websocket_of_the_page_is_opened(server: PageServer) -> None:
    client = upgrade(server, server.origin)
    assert status_of(client) == 101
    client.sendall(frame(b'hello'))
    assert client.recv(100) == b'\x81\x05hello'
    client.close()


def test_no_websocket_is_a_sentence(server: PageServer) -> None:
    refused = server.request('GET', '/socket')
    assert refused.status == 426
    assert 'WebSockets' in refused.message


def test_a_hundred_websockets_are_bounded(server: PageServer) -> None:
    tasks = server.tasks()
    clients = [upgrade(server, server.origin) for _ in range(100)]
    statuses = []
    for client in clients:
        # A connection that is idle after its refusal is replaced by a later one.
        with contextlib.suppress(ConnectionResetError, IndexError):
            statuses.append(status_of(client))
    assert statuses.count(101) == sockets.MAX_SOCKETS_OF_CLIENT
    assert set(statuses) == {101, 429}
    assert len(server.sockets) == sockets.MAX_SOCKETS_OF_CLIENT
    assert server.request('GET', '/api/me').status == 200
    for client in clients:
        client.close()
    wait_until(lambda: len(server.sockets) == 0)
    wait_until(lambda: server.tasks() <= tasks)


@pytest.mark.parametrize(
    'content',
    [
        frame(b'x' * 100_000),
        frame(b'', declared=2**40),
        frame(b'\xff\xfe'),
        frame(b'x', opcode=5),
        bytes(1000),
    ],
)
def test_a_websocket_with_garbage_is_closed(server: PageServer, content: bytes) -> None:
    client = upgrade(server, server.origin)
    assert status_of(client) == 101
    with contextlib.suppress(OSError):  # it may be closed before all has arrived
        client.sendall(content)
        client.shutdown(socket.SHUT_WR)
    received(client)
    client.close()
    wait_until(lambda: len(server.sockets) == 0)


def test_a_frame_of_gigabytes_is_not_stored(server: PageServer) -> None:
    client = upgrade(server, server.origin)
    assert status_of(client) == 101
    client.sendall(frame(b'', declared=2**40))
    sent = 0
    with contextlib.suppress(OSError):
        while sent < 100 * len(MEGABYTE):
            client.sendall(MEGABYTE)
            sent += len(MEGABYTE)
    assert sent < 100 * len(MEGABYTE)
    client.close()
    wait_until(lambda: len(server.sockets) == 0)


def test_it_ends_while_clients_are_connected(caplog: pytest.LogCaptureFixture) -> None:
    with PageServer() as server:
        clients = [upgrade(server, server.origin) for _ in range(5)]
        assert {status_of(client) for client in clients} == {101}
        clients.append(server.connect(post(server, 'Content-Length: 1000')))
        clients.append(server.connect())
        wait_until(lambda: server.connections() == 7)
    for client in clients:
        received(client)
    assert not caplog.records


def test_with_tls_it_speaks_https(tmp_path: Path) -> None:
    certificate, key = tmp_path / 'certificate.pem', tmp_path / 'key.pem'
    made = subprocess.run(
        # ruff: noqa: S607 - a tool of the system
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
         '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out',
         certificate],
        check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip('there is no openssl to make a certificate')
    options = Options(lan=True, tls_certificate=certificate, tls_key=key)
    with PageServer(options) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        with context.wrap_socket(server.connect(), server_hostname='localhost') as client:
            request = f'GET /enter?token={server.tokens["teacher"]} HTTP/1.1\r\n'
            client.sendall(f'{request}Host: localhost\r\nConnection: close\r\n\r\n'.encode())
            answer = received(client)
            assert b' 200 ' in answer
            assert b'; Secure' in answer
        # Somebody who does not speak TLS is not served, and disturbs nobody.
        assert b' 200 ' not in received(server.connect(b'GET / HTTP/1.1\r\n\r\n'))


def test_requests_are_served_side_by_side(server: PageServer) -> None:
    waiting = server.connect(post(server, 'Content-Length: 2') + b'{')
    done = threading.Event()

    def ask() -> None:
        server.request('GET', '/api/me')
        done.set()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert done.is_set()
    waiting.sendall(b'}')
    assert status_of(waiting) == 200
    assert server.writes == [{}]
