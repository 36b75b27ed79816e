# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Live: the WebSocket on which a page receives changes and reports held buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import contextlib
import json
from typing import Any

from aiohttp import web, WSCloseCode, WSMsgType
from edgetpu_retrain.page.access.gate import check_teacher
from edgetpu_retrain.page.access.rates import Rates
from edgetpu_retrain.page.access.sockets import Sockets
from edgetpu_retrain.page.app_keys import ROLE
from edgetpu_retrain.page.bodies import parse_object
from edgetpu_retrain.page.live.holds import Holds
from edgetpu_retrain.page.live.messages import status_message
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.wording import quoted, sentence

KINDS = ('samples', 'questions', 'models', 'analysis')
"""What pages reload after a change."""

MESSAGES_PER_S = 50.0
"""Maximum rate of messages from a page, per second; a held button sends four."""

MESSAGES_AT_ONCE = 100
"""Maximum number of messages from a page at once."""

# Maximum number of messages that wait for a slow page; of each kind, only the newest one waits.
_MAX_WAITING = 100


class Live:
    """
    Announces changes to all pages, and receives messages from them.

    Args:
        robot: the robot.
        sockets: opens and counts the WebSockets.
    """

    def __init__(self, robot: Robot, sockets: Sockets) -> None:
        self._robot = robot
        self._sockets = sockets
        self._pages: set[_Page] = set()
        self._kept: dict[str, dict[str, Any]] = {}
        self._seen = _facts(robot.status)
        self._was_connected = robot.is_connected
        robot.on_status.append(self._status_changed)

    def changed(self, *kinds: str) -> None:
        """
        Make all pages reload what has changed.

        Args:
            kinds: what has changed, of ``KINDS``.
        """
        for kind in kinds:
            self.announce({'type': kind})

    def announce(self, message: dict[str, Any], *, keep: bool = False) -> None:
        """
        Send a message to all pages; it replaces a waiting message of the same type.

        Args:
            message: the message, with its ``type``.
            keep: whether pages that are opened later receive the message, too, until another
                message of its type is announced.
        """
        kind = message['type']
        self._kept.pop(kind, None)
        if keep:
            self._kept[kind] = message
        for page in self._pages:
            page.send(kind, message)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the WebSocket of a page; a handler of aiohttp."""
        async with self._sockets.opened(request) as socket:
            page = _Page(socket)
            holds = Holds(self._robot, page.send_hold)
            page.send('status', self._status())
            for kind, message in self._kept.items():
                page.send(kind, message)
            self._pages.add(page)
            try:
                await self._receive(socket, page, holds, request[ROLE])
            finally:
                self._pages.discard(page)
                await holds.close()
                await page.close()
        return socket

    async def _receive(
        self, socket: web.WebSocketResponse, page: _Page, holds: Holds, role: str
    ) -> None:
        rates = Rates(MESSAGES_PER_S, MESSAGES_AT_ONCE)
        does: dict[str, Callable[[dict[str, Any]], None]] = {
            'hold': holds.begin,
            'hold_on': holds.confirm,
            'release': holds.release,
        }
        async for message in socket:
            try:
                rates.take('')
            except RefusedError as error:
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=str(error).encode())
                return
            fields: dict[str, Any] = {}
            try:
                if message.type is not WSMsgType.TEXT:
                    raise RefusedError(400, 'the message is no text: send a JSON object')
                fields = parse_object(message.data)
                kind = fields.get('type')
                if kind == 'ping':
                    page.send('pong', {'type': 'pong'})
                elif isinstance(kind, str) and kind in does:
                    check_teacher(role)
                    does[kind](fields)
                else:
                    raise RefusedError(400, f'there are no messages of type {quoted(kind)}')
            except RefusedError as error:
                page.send_refusal(fields, sentence(error))

    def _status(self) -> dict[str, Any]:
        return status_message(self._robot.status, is_connected=self._robot.is_connected)

    def _status_changed(self) -> None:
        self.announce(self._status())
        facts = _facts(self._robot.status)
        if self._robot.is_connected and not self._was_connected:
            # What pages requested while the node did not respond has failed.
            self.changed(*KINDS)
        else:
            self.changed(*(kind for kind in facts if facts[kind] != self._seen[kind]))
        self._seen = facts
        self._was_connected = self._robot.is_connected


def _facts(status: Any) -> dict[str, Any]:
    """Return, for each kind of change, the fields of a ``Status`` that show the change."""
    if status is None:
        return {'samples': None, 'questions': None, 'models': None}
    return {
        'samples': (list(status.labels), list(status.counts)),
        'questions': status.questions,
        'models': (status.model_version, status.last_training),
    }


class _Page:
    """
    Sends messages to one page, and limits the number of waiting messages.

    Args:
        socket: the WebSocket of the page.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._waiting: dict[str, dict[str, Any]] = {}
        self._is_there = asyncio.Event()
        self._sending = asyncio.get_running_loop().create_task(self._send_all())

    def send(self, key: str, message: dict[str, Any]) -> None:
        """Queue a message in place of a waiting one with this key; drop it if too many wait."""
        if len(self._waiting) < _MAX_WAITING or key in self._waiting:
            self._waiting[key] = message
            self._is_there.set()

    def send_hold(self, message: dict[str, Any]) -> None:
        """Queue a message about a held button, in place of a waiting one about this button."""
        self.send(f'hold {message["hold"]}', message)

    def send_refusal(self, fields: dict[str, Any], words: str) -> None:
        """Queue the reason why a message was refused; a refused hold is reported as ended."""
        if fields.get('type') == 'hold' and isinstance(fields.get('hold'), int):
            ended = {'ended': True, 'reason': 'failed', 'message': words}
            numbers = {'stored': 0, 'skipped': 0, 'label_total': 0}
            self.send('refused hold', {**fields, **numbers, **ended})
        else:
            self.send('refused', {'type': 'refused', 'message': words})

    async def close(self) -> None:
        """Stop sending, and discard the messages that wait."""
        self._sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await self._sending

    async def _send_all(self) -> None:
        while True:
            await self._is_there.wait()
            self._is_there.clear()
            while self._waiting:
                message = self._waiting.pop(next(iter(self._waiting)))
                await self._socket.send_str(json.dumps(message))
