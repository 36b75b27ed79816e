# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program page as a child process, and a phone that opens it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
import json
import re
import sys
from types import TracebackType
from typing import Any, TypeVar

import aiohttp
from support.running_program import RunningProgram
from support.waiting import PATIENCE_S

Result = TypeVar('Result')


class PageProgram(RunningProgram):
    """
    The program page as a child process, on a free port.

    Args:
        python_path: PYTHONPATH of the process.
        options: its options, and ROS arguments after ``--ros-args``.
    """

    def __init__(self, python_path: str, options: Sequence[str] = ()) -> None:
        super().__init__(
            [sys.executable, '-m', 'edgetpu_retrain.page.main', '--port', '0', *options],
            {'PYTHONPATH': python_path},
        )

    def url(self) -> str:
        """Wait until the page is served, and return its address without a path."""
        line = self.wait_for_log('The page')
        found = re.search(r'https?://[^/]+', line)
        assert found is not None, line
        return found[0]


class Phone:
    """
    Somebody who has opened the page: HTTP, and the live socket.

    Args:
        url: address of the page without a path.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: list[dict[str, Any]] = []

    async def __aenter__(self) -> Phone:
        self.session = aiohttp.ClientSession(headers={'Origin': self.url})
        self.live = await self.session.ws_connect(f'{self.url}/live')
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.live.close()
        await self.session.close()

    async def hear(
        self, kind: str, is_wanted: Callable[[dict[str, Any]], object] = lambda _: True
    ) -> dict[str, Any]:
        """Return the next message of a type that a condition holds for."""
        while True:
            message = await asyncio.wait_for(self.live.receive(), PATIENCE_S)
            assert message.type is aiohttp.WSMsgType.TEXT, f'{message} after {self.heard[-5:]}'
            self.heard.append(json.loads(message.data))
            if self.heard[-1]['type'] == kind and is_wanted(self.heard[-1]):
                return self.heard[-1]

    async def hear_words(self, words: str) -> None:
        """Return when some message has these words."""
        while True:
            message = await asyncio.wait_for(self.live.receive(), PATIENCE_S)
            assert message.type is aiohttp.WSMsgType.TEXT, message
            if words in message.data:
                return

    def vanish(self) -> None:
        """Lose the connection of the live socket, without a word."""
        connection: Any = self.live._response.connection
        connection.transport.abort()

    async def say(self, **fields: Any) -> None:
        """Send a message on the live socket."""
        await self.live.send_str(json.dumps(fields))

    async def hold(self, stored: int, label: str, camera: str = '', number: int = 1) -> Any:
        """
        Hold a button until a number of samples is stored, and return the last message.

        On a busy machine, a confirmation may come so late that the server ends the hold; like a
        person, this holds the button again then, with the next number.
        """
        ended = await self._hold_once(stored, label, camera, number)
        while ended['reason'] == 'silent':
            number += 1
            ended = await self._hold_once(stored, label, camera, number)
        return ended

    async def _hold_once(self, stored: int, label: str, camera: str, number: int) -> Any:
        await self.say(type='hold', hold=number, label=label, camera=camera)
        confirming = asyncio.create_task(self._confirm(number))
        try:
            last = await self.hear(
                'hold', lambda each: each['stored'] >= stored or each.get('ended')
            )
            if last.get('ended'):
                return last
            await self.say(type='release', hold=number)
            return await self.hear('hold', lambda each: each.get('ended'))
        finally:
            confirming.cancel()

    def ended_holds(self) -> list[dict[str, Any]]:
        """Return the last message of each hold that has ended."""
        return [each for each in self.heard if each['type'] == 'hold' and each.get('ended')]

    async def post(self, path: str, **fields: Any) -> tuple[int, str]:
        """Send a request, and return its status and message."""
        async with self.session.post(f'{self.url}{path}', json=fields) as response:
            return response.status, (await response.json())['message']

    async def connected(self) -> None:
        """Wait until the page is connected to the node and the node is active."""
        await self.hear('status', lambda each: each['connected'] and each['state'] == 'active')

    async def _confirm(self, number: int) -> None:
        while True:
            await asyncio.sleep(0.1)
            await self.say(type='hold_on', hold=number)


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine, for at most the time that tests wait for something."""

    async def bounded() -> Result:
        return await asyncio.wait_for(coroutine, 2 * PATIENCE_S)

    return asyncio.run(bounded())
