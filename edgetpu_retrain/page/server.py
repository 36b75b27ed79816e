# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Server: serves the application over HTTP or HTTPS."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import logging
from pathlib import Path
import ssl

from aiohttp import web
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.page.access.connections import Connections
from edgetpu_retrain.page.options import Options

# An idle connection is closed after this time, seconds; browsers open a new one.
_KEEPALIVE_S = 30.0
# Maximum time for which the rest of a refused request is read, seconds.  If the connection were
# closed at once, the browser could lose the response.
_LINGERING_S = 1.0
# Time limit of a TLS handshake, seconds.
_HANDSHAKE_S = 10.0
# Maximum number of connections that the system keeps until they are accepted.
_BACKLOG = 128
# Time limit for cancelled handlers to end, seconds.
_ENDING_S = 1.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """
    Serves an application at the address in the options.

    Args:
        app: the application.
        options: the options of the server.
    """

    def __init__(self, app: web.Application, options: Options) -> None:
        self._options = options
        app.middlewares.insert(0, self._track)
        self._handlers: set[asyncio.Task[None]] = set()
        # aiohttp logs a traceback for each malformed request, so anybody could flood the log.
        silent = logging.getLogger(f'{__name__}.http')
        silent.setLevel(logging.CRITICAL)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=silent,
            keepalive_timeout=_KEEPALIVE_S,
            lingering_time=_LINGERING_S,
        )
        self._connections: Connections | None = None
        self._listening: asyncio.AbstractServer | None = None

    async def start(self) -> int:
        """
        Start to listen, and return the TCP port.

        Raises:
            RequestError: if a TLS file cannot be used.
            OSError: if the server cannot listen at the address.
        """
        options = self._options
        context = None
        if options.tls_certificate is not None and options.tls_key is not None:
            context = _tls_context(options.tls_certificate, options.tls_key)
        await self._runner.setup()
        assert self._runner.server is not None
        self._connections = Connections(self._runner.server)
        self._listening = await asyncio.get_running_loop().create_server(
            self._connections,
            options.host,
            options.port,
            ssl=context,
            backlog=_BACKLOG,
            ssl_handshake_timeout=_HANDSHAKE_S if context else None,
        )
        return int(self._listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, cancel all handlers, and close all connections."""
        if self._listening is not None:
            self._listening.close()
        # Cancel the handlers, because aiohttp would first wait for them.  A cancelled handler of a
        # WebSocket closes it with GOING_AWAY.
        for each in self._handlers:
            each.cancel()
        if (http := self._runner.server) is not None:
            # In aiohttp 3.8, cleanup() below does this only if the runner itself listens.
            await http.shutdown(_ENDING_S)
        await self._runner.cleanup()

    @web.middleware
    async def _track(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve a request; mark its connection as busy, and store its task for ``close``."""
        assert self._connections is not None
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        is_socket = 'Upgrade' in request.headers
        try:
            with self._connections.serving(request.transport, is_socket=is_socket):
                return await handler(request)
        finally:
            self._handlers.discard(task)


def _tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    # The errors of OpenSSL name no file.
    _require_readable('--tls-certificate', certificate)
    _require_readable('--tls-key', key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise RequestError(
            f'--tls-certificate {certificate} and --tls-key {key} cannot be used ({error}): give '
            'a certificate and its own private key, both as PEM'
        ) from error
    return context


def _require_readable(option: str, path: Path) -> None:
    try:
        path.open('rb').close()
    except OSError as error:
        raise RequestError(
            f'{option} {path} cannot be read ({error.strerror}): give a PEM file that this user '
            'may read'
        ) from error
