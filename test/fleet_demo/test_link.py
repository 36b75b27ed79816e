# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
import socket
import threading

from edgetpu_retrain.fleet_demo.link import Link
import pytest
from support.waiting import PATIENCE_S


@pytest.fixture
def echo_port() -> Iterator[int]:
    """Return the port of a server that sends back what it receives."""
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=echo, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def echo(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(1 << 16):
            connection.sendall(data)


def connect(port: int) -> socket.socket:
    return socket.create_connection(('127.0.0.1', port), PATIENCE_S)


def answer(connection: socket.socket, sent: bytes) -> bytes:
    connection.sendall(sent)
    received = b''
    while len(received) < len(sent):
        data = connection.recv(1 << 16)
        if not data:
            break
        received += data
    return received


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b''
    except ConnectionError:
        return True


def test_bytes_pass_in_both_directions(echo_port: int) -> None:
    sent = bytes(range(256)) * 100
    with Link(echo_port) as link, connect(link.port) as first, connect(link.port) as second:
        assert answer(first, sent) == sent
        assert answer(second, b'second') == b'second'


def test_a_cut_link_has_no_connections_until_it_is_restored(echo_port: int) -> None:
    with Link(echo_port) as link:
        with connect(link.port) as before:
            assert answer(before, b'before') == b'before'
            link.cut()
            assert is_closed(before)
        with connect(link.port) as meanwhile:
            assert is_closed(meanwhile)
        link.restore()
        with connect(link.port) as after:
            assert answer(after, b'after') == b'after'


def test_a_hub_that_is_down_closes_the_connection() -> None:
    with socket.socket() as down:
        # Nobody else gets this port, and nobody listens on it.
        down.bind(('127.0.0.1', 0))
        with Link(down.getsockname()[1]) as link, connect(link.port) as connection:
            assert is_closed(connection)


def test_a_link_ends_with_its_connections(echo_port: int) -> None:
    with Link(echo_port) as link:
        connection = connect(link.port)
        assert answer(connection, b'x') == b'x'
    with connection:
        assert is_closed(connection)
    with pytest.raises(ConnectionRefusedError):
        connect(link.port)
