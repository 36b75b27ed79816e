# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Sockets: opens WebSockets, and limits their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
import contextlib

from aiohttp import web, WSCloseCode
from edgetpu_retrain.page.app_keys import CLIENT
from edgetpu_retrain.page.refused import RefusedError

MAX_SOCKETS = 128
"""Maximum number of WebSockets of all clients."""

MAX_SOCKETS_OF_CLIENT = 32
"""Maximum number of WebSockets of a client; a page opens one, and another for the video."""

MAX_MESSAGE_BYTES = 4096
"""Maximum size of a message from a page, bytes; the longest contains a label and a camera."""

# Interval of pings, seconds.  A WebSocket is closed if the browser does not respond within half of
# the interval.
_HEARTBEAT_S = 15.0

# Time limit for the browser to confirm that a WebSocket is closed, seconds.
_CLOSING_S = 0.5


class Sockets:
    """Opens WebSockets, and limits their number for each client and in total."""

    def __init__(self) -> None:
        self._clients: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(self._clients.values())

    @contextlib.asynccontextmanager
    async def opened(self, request: web.Request) -> AsyncIterator[web.WebSocketResponse]:
        """
        Open a WebSocket, and close it after the ``async with`` block.

        Raises:
            RefusedError: if the request opens no WebSocket, or too many WebSockets are open.
        """
        client = request[CLIENT]
        socket = web.WebSocketResponse(
            timeout=_CLOSING_S,
            heartbeat=_HEARTBEAT_S,
            compress=False,
            max_msg_size=MAX_MESSAGE_BYTES,
        )
        if not socket.can_prepare(request):
            raise RefusedError(426, 'this address is for WebSockets: open the page at /')
        is_full = len(self) >= MAX_SOCKETS
        if is_full or self._clients[client] >= MAX_SOCKETS_OF_CLIENT:
            raise RefusedError(429, 'too many pages are open: close others of this robot')
        self._clients[client] += 1
        try:
            await socket.prepare(request)
            try:
                yield socket
            finally:
                await socket.close(code=WSCloseCode.GOING_AWAY)
        finally:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]
