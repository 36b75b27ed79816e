# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The page's server without a robot, and requests as hostile clients send them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
import http.client
import json
import socket
import threading
from typing import Any

from aiohttp import web
from edgetpu_retrain.page.access.sessions import Sessions
from edgetpu_retrain.page.access.sockets import Sockets
from edgetpu_retrain.page.app import make_app
from edgetpu_retrain.page.app_keys import ROLE
from edgetpu_retrain.page.bodies import read_object
from edgetpu_retrain.page.options import Options
from edgetpu_retrain.page.server import Server
from support.waiting import PATIENCE_S


@dataclass(frozen=True)
class Reply:
    """A response of the server."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def message(self) -> str:
        return str(json.loads(self.body)['message'])


class PageServer:
    """
    A server with a few handlers, on a free port, in a thread of its own.

    Args:
        options: the options of the server.

    Attributes:
        writes: the JSON objects that reached the handler of /api/write.
        tokens: the last token of each role.
        announced: all tokens, in the order of their announcement.
        sockets: counts the WebSockets at /socket, which return what they receive.
    """

    def __init__(self, options: Options | None = None) -> None:
        self._options = replace(options or Options(), port=0)
        self.writes: list[dict[str, Any]] = []
        self.tokens: dict[str, str] = {}
        self.announced: list[tuple[str, str]] = []
        self.sockets = Sockets()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> PageServer:
        self._thread.start()
        self.port: int = self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.server.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()

    @property
    def host(self) -> str:
        return f'127.0.0.1:{self.port}'

    @property
    def origin(self) -> str:
        return f'http://{self.host}'

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine in the server's thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE_S)

    def tasks(self) -> int:
        """Return the number of tasks in the server's thread."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return int(self.run(count()))

    def connections(self) -> int:
        """Return the number of open connections."""
        assert self.server._connections is not None
        return len(self.server._connections)

    def deadlines(self) -> int:
        """Return the number of open connections that still have to send a first request."""
        assert self.server._connections is not None
        return sum(each._deadline is not None for each in self.server._connections._open)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """Send a request, a POST with the headers of a page; a header that is None is left out."""
        given: dict[str, str | None] = {}
        if method == 'POST':
            given = {'Origin': self.origin, 'Content-Type': 'application/json'}
        given |= headers or {}
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE_S)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {'Host': self.host, **given}.items():
            if value is not None:
                connection.putheader(name, value)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            connection.putheader('Content-Length', str(len(content)))
        connection.endheaders(content)
        with connection.getresponse() as response:
            reply = Reply(response.status, response.msg, response.read())
        connection.close()
        return reply

    def connect(self, content: bytes = b'') -> socket.socket:
        """Open a connection, and send some bytes."""
        client = socket.create_connection(('127.0.0.1', self.port), timeout=PATIENCE_S)
        client.sendall(content)
        return client

    async def _start(self) -> int:
        sessions = Sessions(self._announce) if self._options.lan else None
        app = make_app(self._options, sessions)
        app.router.add_post('/api/write', self._write)
        app.router.add_post('/api/import', self._write)
        app.router.add_get('/api/me', self._me)
        app.router.add_get('/api/fault', self._fault)
        app.router.add_get('/socket', self._socket)
        self.server = Server(app, self._options)
        port = await self.server.start()
        if sessions is not None:
            sessions.begin()
        return port

    def _announce(self, role: str, token: str) -> None:
        self.tokens[role] = token
        self.announced.append((role, token))

    async def _write(self, request: web.Request) -> web.Response:
        self.writes.append(await read_object(request))
        return web.json_response({'message': 'Written.'})

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({'role': request[ROLE]})

    async def _fault(self, _request: web.Request) -> web.Response:
        raise LookupError('a secret')

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        async with self.sockets.opened(request) as opened:
            async for message in opened:
                await opened.send_str(str(message.data))
        return opened


def received(client: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection."""
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b''.join(parts)
