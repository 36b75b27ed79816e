# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Many requests of single pictures become few requests of the node, and are kept for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from edgetpu_retrain.page.routes.picture_batches import (
    BATCH,
    CACHE_BYTES,
    CACHE_S,
    MAX_WAITING,
    PictureBatches,
)
import pytest
from support.waiting import PATIENCE_S

JPEG = b'\xff\xd8\xff'


class Node:
    """
    Returns the pictures of even ids.

    Args:
        at_once: maximum number of pictures in a response.
    """

    def __init__(self, at_once: int = BATCH, size: int = 3) -> None:
        self.requests: list[list[int]] = []
        self.now = 0.0
        self.broken: Exception | None = None
        self.is_free = asyncio.Event()
        self.is_free.set()
        self._at_once = at_once
        self._size = size
        self.batches = PictureBatches(self.fetch, lambda: self.now)

    def jpeg(self, number: int) -> bytes:
        return (JPEG + str(number).encode()).ljust(self._size, b'.')

    async def fetch(self, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        self.requests.append(list(numbers))
        await self.is_free.wait()
        if self.broken:
            raise self.broken
        found = [(number, self.jpeg(number)) for number in numbers if number % 2 == 0]
        return found[: self._at_once]

    async def get(self, *numbers: int) -> list[bytes | None]:
        return list(await asyncio.gather(*map(self.batches.get, numbers)))


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function in a new event loop."""

    async def main() -> None:
        await asyncio.wait_for(test(), PATIENCE_S)

    asyncio.run(main())


def test_requests_of_a_screen_are_one_request_of_the_node() -> None:
    async def test() -> None:
        node = Node()
        assert await node.get(1, 2, 3, 4, 2) == [
            None,
            node.jpeg(2),
            None,
            node.jpeg(4),
            node.jpeg(2),
        ]
        assert node.requests[0] == [1, 2, 3, 4]

    run(test)


def test_a_request_waits_for_others() -> None:
    async def test() -> None:
        node = Node()
        loop = asyncio.get_running_loop()
        with pytest.MonkeyPatch.context() as patch:
            # The time for others is not over, however slow the machine is.
            patch.setattr(loop, 'time', partial(float, loop.time()))
            requests = []
            for number in (2, 4):
                requests.append(asyncio.ensure_future(node.batches.get(number)))
                for _ in range(20):
                    await asyncio.sleep(0)
        assert await asyncio.gather(*requests) == [node.jpeg(2), node.jpeg(4)]
        assert node.requests == [[2, 4]]

    run(test)


def test_2000_pictures_are_8_requests() -> None:
    async def test() -> None:
        node = Node()
        numbers = range(2, 4002, 2)
        assert await node.get(*numbers) == [*map(node.jpeg, numbers)]
        assert [len(each) for each in node.requests] == [BATCH] * 7 + [2000 - 7 * BATCH]

    run(test)


def test_what_a_response_left_out_is_requested_again() -> None:
    async def test() -> None:
        node = Node(at_once=2)
        found = await node.get(1, 2, 4, 5, 6, 8, 9)
        assert found == [None, node.jpeg(2), node.jpeg(4), None, node.jpeg(6), node.jpeg(8), None]
        assert node.requests == [[1, 2, 4, 5, 6, 8, 9], [5, 6, 8, 9], [9]]

    run(test)


def test_pictures_are_kept_for_a_minute_and_missing_ones_are_not() -> None:
    async def test() -> None:
        node = Node()
        await node.get(1, 2)
        node.now = CACHE_S
        assert await node.get(1, 2) == [None, node.jpeg(2)]
        assert node.requests[1:] == [[1]]
        node.now = CACHE_S + 1
        await node.get(2)
        assert node.requests[2:] == [[2]]

    run(test)


def test_what_is_kept_is_bounded() -> None:
    async def test() -> None:
        node = Node(size=CACHE_BYTES // 4)
        await node.get(2, 4, 6, 8, 10)
        node.requests.clear()
        await node.get(4, 6, 8, 10)
        assert node.requests == []
        await node.get(2)
        assert node.requests == [[2]]

    run(test)


def test_a_browser_that_goes_away_does_not_cancel_what_others_wait_for() -> None:
    async def test() -> None:
        node = Node()
        gone = asyncio.ensure_future(node.batches.get(2))
        stays = asyncio.ensure_future(node.batches.get(2))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == node.jpeg(2)
        assert gone.cancelled()

    run(test)


def test_a_failure_reaches_all_and_is_not_kept() -> None:
    async def test() -> None:
        node = Node()
        node.broken = RuntimeError('gone')
        found = await asyncio.gather(
            node.batches.get(2), node.batches.get(4), return_exceptions=True
        )
        assert [str(each) for each in found] == ['gone', 'gone']
        node.broken = None
        assert await node.get(2, 4) == [node.jpeg(2), node.jpeg(4)]

    run(test)


def test_no_more_pictures_are_waited_for_than_fit() -> None:
    async def test() -> None:
        node = Node()
        node.is_free.clear()
        waiting = [asyncio.ensure_future(node.batches.get(2 + 2 * n)) for n in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Exception, match='too many pictures are requested at once'):
            await node.batches.get(1)
        node.is_free.set()
        assert None not in await asyncio.gather(*waiting)

    run(test)


def test_closing_ends_requests() -> None:
    async def test() -> None:
        node = Node()
        node.is_free.clear()
        waiting = asyncio.ensure_future(node.batches.get(2))
        while not node.requests:
            await asyncio.sleep(0)
        await node.batches.close()
        assert await waiting is None

    run(test)
