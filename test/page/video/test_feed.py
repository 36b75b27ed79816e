# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The newest images of a camera and their classifications, without a robot."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future
from typing import Any

from builtin_interfaces.msg import Time
from edgetpu_retrain.page.video.feed import Feed
from edgetpu_retrain_interfaces.msg import Result
from support.page_program import run
from support.robot_messages import image_message, pattern


class Encoders(Executor):
    """Count what is encoded, and encode it at once."""

    def __init__(self) -> None:
        self.count = 0

    def submit(self, work: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        self.count += 1
        done: Future[Any] = Future()
        done.set_result(work(*arguments, **options))
        return done


def stamped(message: Any, second: int) -> Any:
    message.header.stamp = Time(sec=second)
    return message


def test_an_image_is_encoded_after_the_node_has_classified_it() -> None:
    async def scenario() -> None:
        encoders = Encoders()
        robot: Any = None
        feed = Feed(robot, '/image', encoders)
        # Images wait for their classification only while the node classifies.
        feed.classified(stamped(Result(), 1))
        feed._receive(stamped(image_message(pattern(1)), 2))
        waiting = asyncio.create_task(feed.next_frame(None))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        assert encoders.count == 0
        feed.classified(stamped(Result(), 2))
        frame = await waiting
        assert frame is not None
        assert frame.result is not None
        assert (await frame.jpeg(64)).content.startswith(b'\xff\xd8')
        assert await frame.jpeg(64) is await frame.jpeg(64)
        assert encoders.count == 1

    run(scenario())
