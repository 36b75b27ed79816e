# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs coroutines of the fleet in tests, and a TCP relay whose links can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import contextlib
from typing import Any, TypeVar

from edgetpu_retrain.processes.free_port import free_port
from support.waiting import PATIENCE_S

Result = TypeVar('Result')


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a test's coroutine to its end."""
    return asyncio.run(asyncio.wait_for(coroutine, 2 * PATIENCE_S))


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until a condition holds."""

    async def poll() -> None:
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)

    await asyncio.wait_for(poll(), PATIENCE_S)


class Link:
    """
    A TCP relay to a port of this machine.

    Args:
        port: where it leads to.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = free_port()
        self.sent = 0
        """Bytes that were passed on to the target."""
        self.received = 0
        """Bytes that came from the target."""
        self.cut_after: int | None = None
        """After so many more bytes to the target, the link is cut."""

    @property
    def url(self) -> str:
        return f'nats://127.0.0.1:{self.port}'

    async def restore(self) -> None:
        """Accept connections, at the same port as before."""
        self._server = await asyncio.start_server(self._accept, '127.0.0.1', self.port)

    async def cut(self) -> None:
        """Cut all connections, and accept no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection('127.0.0.1', self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there[1]}
        with contextlib.suppress(OSError):
            await asyncio.gather(
                self._pass(reader, there[1], to_target=True),
                self._pass(there[0], writer, to_target=False),
            )
        for each in (writer, there[1]):
            each.transport.abort()
            self._writers.discard(each)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_target: bool
    ) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
            if not to_target:
                self.received += len(data)
                continue
            self.sent += len(data)
            if self.cut_after is not None:
                self.cut_after -= len(data)
                if self.cut_after < 0:
                    self.cut_after = None
                    await self.cut()
        writer.close()
