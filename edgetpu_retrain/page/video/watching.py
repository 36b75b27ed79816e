# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Video: the WebSocket on which a page watches a camera."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
import contextlib
import json
import struct
from typing import Any

from aiohttp import web, WSCloseCode, WSMsgType
from edgetpu_retrain.errors import ImageError
from edgetpu_retrain.page.access.sockets import Sockets
from edgetpu_retrain.page.bodies import parse_object
from edgetpu_retrain.page.refused import RefusedError
from edgetpu_retrain.page.robot import Robot
from edgetpu_retrain.page.video.encoding import Jpeg, width_for
from edgetpu_retrain.page.video.feed import Feed, Frame
from edgetpu_retrain.wording import quoted, sentence

# Maximum number of images that are encoded at the same time.
_ENCODERS = 2

# A message consists of the length of its JSON header in bytes, the header and the JPEG file.
_LENGTH = struct.Struct('>I')


class Video:
    """
    Sends the images of cameras to pages.

    Args:
        robot: the robot.
        sockets: opens and counts the WebSockets.
    """

    def __init__(self, robot: Robot, sockets: Sockets) -> None:
        self._robot = robot
        self._sockets = sockets
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._threads = ThreadPoolExecutor(_ENCODERS, 'encode')
        robot.on_result.append(self._classified)

    async def close(self, _app: web.Application) -> None:
        """Shut down the encoding threads; a signal handler of aiohttp."""
        self._threads.shutdown(wait=False)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the WebSocket of a page that watches a camera; a handler of aiohttp."""
        camera = request.query.get('camera', '')
        topic = self._topic(camera)
        if not topic:
            raise RefusedError(404, f'the node does not use a camera {quoted(camera)}')
        async with self._sockets.opened(request) as socket, self._feed(camera, topic) as feed:
            wanted: asyncio.Queue[int] = asyncio.Queue(1)
            sending = asyncio.create_task(self._send_frames(socket, camera, feed, wanted))
            try:
                async for message in socket:
                    _request_frame(message, wanted)
            except RefusedError as error:
                # The reason of a close frame has at most 123 bytes.
                reason = sentence(error).encode()[:120]
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=reason)
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await sending
        return socket

    async def _send_frames(
        self, socket: web.WebSocketResponse, camera: str, feed: Feed, wanted: asyncio.Queue[int]
    ) -> None:
        shown: Frame | None = None
        while True:
            width = await wanted.get()
            while (frame := await feed.next_frame(shown)) is None:
                if self._topic(camera) != feed.topic:
                    await socket.close(code=WSCloseCode.SERVICE_RESTART)
                    return
            shown = frame
            header = {
                'camera': camera,
                'stamp': frame.stamp_ns / 1e9,
                'result': frame.result,
                'hz': feed.hz,
            }
            try:
                # Encode the image only now that the node has classified it, so that the page and
                # the node do not compete for the processor.
                jpeg = await frame.jpeg(width)
            except ImageError as error:
                header['message'] = sentence(error)
                jpeg = Jpeg(b'', 0, 0)
            head = json.dumps({**header, 'width': jpeg.width, 'height': jpeg.height}).encode()
            await socket.send_bytes(_LENGTH.pack(len(head)) + head + jpeg.content)

    def _topic(self, camera: str) -> str:
        """Return the topic of a camera's images; '' if the node does not use the camera."""
        status = self._robot.status
        if status is None or camera not in status.cameras:
            return ''
        return str(status.camera_topics[list(status.cameras).index(camera)])

    @contextlib.asynccontextmanager
    async def _feed(self, camera: str, topic: str) -> AsyncIterator[Feed]:
        """Yield the feed that all viewers of a camera share; unsubscribe after the last viewer."""
        key = camera, topic
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._robot, topic, self._threads)
        feed.viewers += 1
        try:
            if feed.viewers == 1:
                await feed.subscribe()
            yield feed
        finally:
            feed.viewers -= 1
            if not feed.viewers:
                del self._feeds[key]
                await feed.unsubscribe()

    def _classified(self, result: Any) -> None:
        for (camera, _), feed in self._feeds.items():
            if camera == result.camera:
                feed.classified(result)


def _request_frame(message: Any, wanted: asyncio.Queue[int]) -> None:
    """
    Queue a page's request for one more frame, unless another request is queued.

    Raises:
        RefusedError: if the message is not a request for a frame.
    """
    if message.type is not WSMsgType.TEXT:
        raise RefusedError(400, 'the message is no text: send a JSON object')
    fields = parse_object(message.data)
    width = fields.get('width')
    if fields.get('type') != 'next' or not isinstance(width, (int, float)):
        raise RefusedError(400, 'send {"type": "next", "width": pixels}')
    if not wanted.full():
        wanted.put_nowait(width_for(width))
