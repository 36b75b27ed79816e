# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Server: listens, and ends in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import logging
import ssl

from aiohttp import web
from edgetpu_retrain.page.access.connections import Connections
from edgetpu_retrain.page.access.sessions import Sessions
from edgetpu_retrain.page.announcement import Announcement
from edgetpu_retrain.page.app import make_app
from edgetpu_retrain.page.options import Options
from edgetpu_retrain.page.robot import Robot

# An idle connection is closed after this time; browsers open a new one.
_KEEPALIVE_S = 30.0
# The rest of a body that was refused is read for this time, so that the response arrives.
_LINGERING_S = 1.0
_HANDSHAKE_S = 10.0
_BACKLOG = 128

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """
    The server of the page; create it in a running event loop.

    Args:
        options: its options.
        arguments: command line with ROS arguments.
    """

    def __init__(self, options: Options, arguments: list[str]) -> None:
        self._options = options
        self._announcement = Announcement(options)
        self._sessions = Sessions(self._announcement.token) if options.lan else None
        self._robot = Robot(options.node, arguments)
        app = make_app(options, self._robot, self._sessions)
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

    async def start(self) -> None:
        """
        Listen, and print the address.

        Raises:
            OSError: if the port is in use, or a file of TLS cannot be read.
        """
        options = self._options
        context = None
        if options.tls_certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(options.tls_certificate, options.tls_key)
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
        self._announcement.port = self._listening.sockets[0].getsockname()[1]
        if self._sessions is None:
            self._announcement.page()
        else:
            self._sessions.begin()

    async def close(self) -> None:
        """Stop listening, end what runs, and leave ROS."""
        if self._listening is not None:
            self._listening.close()
        for each in self._handlers:
            each.cancel()
        await self._runner.cleanup()
        await self._robot.close()

    @web.middleware
    async def _track(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note what runs, so that it can be ended."""
        assert self._connections is not None
        self._connections.requested(request.transport)
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            return await handler(request)
        finally:
            self._handlers.discard(task)
