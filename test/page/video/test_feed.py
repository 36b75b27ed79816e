# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The newest images of a camera and their classifications, without a robot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
import threading
from typing import Any

from builtin_interfaces.msg import Time
from edgetpu_retrain.page.video.feed import Feed
from edgetpu_retrain_interfaces.msg import Result
import pytest
from support.page_program import run
from support.robot_messages import image_message, pattern
from support.waiting import PATIENCE_S
from vision_msgs.msg import ObjectHypothesis


class Encoders(Executor):
    """Count what is encoded, and encode it at once."""

    def __init__(self) -> None:
        self.count = 0

    def submit(self, work: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        self.count += 1
        done: Future[Any] = Future()
        done.set_result(work(*arguments, **options))
        return done


class SlowEncoders(ThreadPoolExecutor):
    """Encode in a thread, but only once ``may_encode`` is set."""

    def __init__(self) -> None:
        super().__init__(1)
        self.may_encode = threading.Event()

    def __exit__(self, *_: object) -> None:
        self.may_encode.set()
        self.shutdown()

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        super().submit(self.may_encode.wait)
        return super().submit(work, *arguments, **options)


def result_of(label: str, second: int) -> Any:
    result = stamped(Result(), second)
    result.classification.results = [ObjectHypothesis(class_id=label, score=1.0)]
    return result


def stamped(message: Any, second: int) -> Any:
    message.header.stamp = Time(sec=second)
    return message


def test_an_image_is_encoded_after_the_node_has_classified_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However slow the machine is, the image waits for its classification.
    monkeypatch.setattr(Feed, '_patience', lambda _: PATIENCE_S)

    async def scenario() -> None:
        encoders = Encoders()
        robot: Any = None
        feed = Feed(robot, '/image', encoders)
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


def test_a_page_that_is_closed_does_not_stop_the_picture_of_the_others() -> None:
    async def scenario() -> None:
        robot: Any = None
        with SlowEncoders() as encoders:
            feed = Feed(robot, '/image', encoders)
            feed._receive(image_message(pattern(1)))
            frame = await feed.next_frame(None)
            assert frame is not None
            pages = [asyncio.create_task(frame.jpeg(64)) for _ in range(2)]
            await asyncio.sleep(0)
            pages[0].cancel()
            await asyncio.wait([pages[0]])
            encoders.may_encode.set()
            jpeg = await asyncio.wait_for(pages[1], PATIENCE_S)
            assert jpeg.content.startswith(b'\xff\xd8')

    run(scenario())


def test_images_without_stamps_have_the_newest_classification() -> None:
    async def scenario() -> None:
        robot: Any = None
        feed = Feed(robot, '/image', Encoders())
        # The first classification arrives before its image.
        feed.classified(result_of('cat', 0))
        shown = None
        for label in ('cat', 'cat', 'dog', 'dog', 'cup'):
            feed._receive(stamped(image_message(pattern(1)), 0))
            feed.classified(result_of(label, 0))
            shown = await feed.next_frame(shown)
            assert shown is not None
            assert shown.result is not None
            assert shown.result['labels'] == [label]

    run(scenario())


@pytest.mark.parametrize(
    ('early', 'label', 'left'),
    [
        ([('cat', 1)], None, 1),
        ([('cat', 2)], 'cat', 0),
        ([('cat', 1), ('dog', 2), ('cup', 3)], 'dog', 1),
        ([('cat', 2), ('dog', 2), ('cup', 3)], 'dog', 1),
    ],
)
def test_an_image_has_the_newest_of_the_classifications_that_arrived_before_it(
    early: list[tuple[str, int]], label: str | None, left: int
) -> None:
    async def scenario() -> None:
        robot: Any = None
        feed = Feed(robot, '/image', Encoders())
        for each, second in early:
            feed.classified(result_of(each, second))
        feed._receive(stamped(image_message(pattern(1)), 2))
        found = feed._frames[-1].result
        assert (found and found['labels'][0]) == label
        assert len(feed._results) == left

    run(scenario())
