# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Clients that watch a camera on the page's WebSocket, as a child process.

Requests: ``start`` with address, camera, width and count, which replies when each has a picture;
``stop``, which replies with the number of pictures that each received meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from aiohttp import ClientSession, WSMsgType
from benchmarks.shared.dialogue import reply, requests

_PATIENCE_S = 60.0


class Viewers:
    """
    Watches with some clients at once, each of which acknowledges its pictures at once.

    Args:
        address: address of the page, such as ``http://127.0.0.1:8642``.
        camera: name of the camera.
        width: width that each client asks for, pixels.
        count: number of clients.
    """

    def __init__(self, address: str, camera: str, width: int, count: int) -> None:
        self.counts = [0] * count
        self._address, self._camera, self._width = address, camera, width
        self._all_see = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run()])

    def start(self) -> None:
        """Return when each client has received a picture."""
        self._thread.start()
        if not self._all_see.wait(_PATIENCE_S):
            raise TimeoutError(f'pictures of each client: {self.counts}')

    def close(self) -> list[int]:
        """End all clients, and return the number of pictures of each."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        return self.counts

    async def _run(self) -> None:
        async with ClientSession() as session:
            watching = [
                asyncio.create_task(self._watch(session, n)) for n in range(len(self.counts))
            ]
            await self._ended.wait()
            for each in watching:
                each.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _watch(self, session: ClientSession, number: int) -> None:
        async with session.ws_connect(
            f'{self._address}/video', params={'camera': self._camera}, origin=self._address
        ) as socket:
            while True:
                await socket.send_json({'type': 'next', 'width': self._width})
                message = await socket.receive()
                if message.type is WSMsgType.BINARY:
                    self.counts[number] += 1
                    if all(self.counts):
                        self._all_see.set()
                elif message.type is not WSMsgType.TEXT:
                    return


def main() -> None:
    """Handle the requests of the parent process."""
    viewers: Any = None
    for request in requests():
        if request['what'] == 'start':
            fields = ('address', 'camera', 'width', 'count')
            viewers = Viewers(*(request[name] for name in fields))
            viewers.start()
            reply('started')
        elif viewers is not None:
            reply(viewers.close())


if __name__ == '__main__':
    main()
