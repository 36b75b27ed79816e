# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Sockets: opens WebSockets, whose number is limited."""

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
"""Maximum number of WebSockets of a client; a page has one, and one for the live picture."""

MAX_MESSAGE_BYTES = 4096
"""Maximum size of a message from a page, bytes; the longest has a label and a camera's name."""

# Interval of pings, seconds; a peer that does not respond within half of it is gone.
_HEARTBEAT_S = 15.0

# Time limit for the peer to confirm that a socket is closed, seconds.
_CLOSING_S = 0.5


class Sockets:
    """Opens and counts WebSockets."""

    def __init__(self) -> None:
        self._clients: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(self._clients.values())

    @contextlib.asynccontextmanager
    async def opened(self, request: web.Request) -> AsyncIterator[web.WebSocketResponse]:
        """
        Open a WebSocket, and close it at the end.

        Raises:
            RefusedError: if the request does not open a WebSocket, or too many are open.
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
