# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Connections: limits the number of connections, and the time until their first request.

The rate at which a WebSocket receives data is limited, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
import contextlib
import json
from typing import Any

from edgetpu_retrain.page.access.hosts import peer_address
from edgetpu_retrain.page.access.rates import Rates
from edgetpu_retrain.page.refused import RefusedError

MAX_CONNECTIONS = 256
"""Maximum number of open connections of all clients together."""

MAX_CONNECTIONS_OF_CLIENT = 96
"""Maximum number of connections from one address; a browser opens about ten for a page."""

FIRST_REQUEST_S = 10.0
"""Maximum time until the headers of the first request of a connection have arrived, seconds."""

SOCKET_BYTES_PER_S = 64 * 1024
"""
Maximum average rate of bytes that a WebSocket receives, per second; aiohttp 3.8 buffers frames of
any size.
"""

SOCKET_BYTES_AT_ONCE = 256 * 1024
"""Maximum number of bytes that a WebSocket may receive at once."""

_TOO_MANY = json.dumps({'message': 'too many connections: close other pages of this robot.'})
_REFUSAL = (
    'HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n'
    f'Content-Length: {len(_TOO_MANY)}\r\nConnection: close\r\n\r\n{_TOO_MANY}'
).encode()


class Connections:
    """
    The open connections, whose number is limited.

    At the limit, a new connection replaces the connection of the same client that has been idle
    for longest.  If that client has no idle connection, the new connection is refused.

    Args:
        make_protocol: creates the HTTP protocol of a new connection.
    """

    def __init__(self, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        self._make_protocol = make_protocol
        self._open: dict[_Connection, None] = {}

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection; asyncio calls this as its protocol factory."""
        return _Connection(self._make_protocol(), self)

    def __len__(self) -> int:
        return len(self._open)

    @contextlib.contextmanager
    def serving(self, transport: Any, *, is_socket: bool) -> Iterator[None]:
        """
        Mark a connection as busy during the ``with`` block, so that it is not replaced.

        Args:
            transport: the transport of the connection; None = the connection is closed.
            is_socket: whether the request opens a WebSocket, whose rate of data is limited.
        """
        connection = transport.get_protocol() if transport is not None else None
        if not isinstance(connection, _Connection):
            yield
            return
        if is_socket:
            connection.bytes = Rates(SOCKET_BYTES_PER_S, SOCKET_BYTES_AT_ONCE)
        connection.begin()
        try:
            yield
        finally:
            connection.is_busy = False
            if self._open.pop(connection, connection) is None:
                self._open[connection] = None  # move it to the end: it is replaced last

    def admit(self, new: _Connection) -> bool:
        """
        Add a connection; at a limit, end an idle connection of the same client first.

        Returns:
            Whether the connection was added; False at a limit if the client has no idle one.
        """
        mine = [each for each in self._open if each.client == new.client]
        if len(mine) >= MAX_CONNECTIONS_OF_CLIENT or len(self._open) >= MAX_CONNECTIONS:
            idle = next((each for each in mine if not each.is_busy), None)
            if idle is None:
                return False
            idle.end()
        self._open[new] = None
        return True

    def forget(self, connection: _Connection) -> None:
        """Remove a closed connection; do nothing if it was refused."""
        self._open.pop(connection, None)


class _Connection(asyncio.Protocol):
    """Passes the events of an admitted connection to the HTTP protocol."""

    def __init__(self, http: asyncio.Protocol, connections: Connections) -> None:
        self._http = http
        self._connections = connections
        self._transport: Any = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_admitted = False
        self.client = ''
        self.is_busy = False
        self.bytes: Rates | None = None

    def begin(self) -> None:
        """Mark the connection as busy, and cancel the deadline of its first request."""
        self.is_busy = True
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def end(self) -> None:
        self._connections.forget(self)
        self.begin()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.client = peer_address(transport)
        self._is_admitted = self._connections.admit(self)
        if not self._is_admitted:
            self._transport.write(_REFUSAL)
            self._transport.close()
            return
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(FIRST_REQUEST_S, self.end)
        self._http.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.forget(self)
        self.begin()
        if self._is_admitted:
            self._http.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_admitted:
            return
        if self.bytes is not None:
            try:
                self.bytes.take('', len(data))
            except RefusedError:
                self.end()
                return
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        return self._http.eof_received() if self._is_admitted else None

    def pause_writing(self) -> None:
        if self._is_admitted:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        if self._is_admitted:
            self._http.resume_writing()
