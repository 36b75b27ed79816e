# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""PictureBatches: combines many requests for single thumbnails into few requests to the node."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
import time

from edgetpu_retrain.page.refused import RefusedError

BATCH = 256
"""Maximum number of pictures in a request to the node, as in the service."""

WAIT_S = 0.005
"""Time to wait for more pictures, seconds; a browser requests those of a screen at once."""

MAX_WAITING = 4096
"""Maximum number of pictures that were requested and have not arrived."""

CACHE_BYTES = 16 * 2**20
"""Maximum size of all pictures in memory, bytes: about 2,000 thumbnails."""

CACHE_S = 60.0
"""Time for which a picture is served from memory, seconds, even if it is erased meanwhile."""

# Maximum number of simultaneous requests for pictures; few, so that other requests to the node do
# not wait for them.
_REQUESTS_AT_A_TIME = 2

Fetch = Callable[[Sequence[int]], Awaitable[Sequence[tuple[int, bytes]]]]


class PictureBatches:
    """
    Requests the pictures of samples or of questions in batches, and caches them.

    Args:
        fetch: requests pictures from the node by id; returns pairs of id and JPEG file in the
            order of the ids, without ids that have no picture.  It may omit the last pictures.
        clock: returns the time, seconds.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._waiting: dict[int, asyncio.Future[bytes | None]] = {}
        self._next: list[int] = []
        self._cache: OrderedDict[int, tuple[float, bytes]] = OrderedDict()
        self._cached_bytes = 0
        self._requests: set[asyncio.Task[None]] = set()

    async def get(self, number: int) -> bytes | None:
        """
        Return the JPEG file of a picture; None if the picture does not exist.

        Args:
            number: id of the sample or question.

        Raises:
            RefusedError: if too many pictures are requested, or the node is not running.
            RetrainClientError: if the node rejects the request, or does not respond.
        """
        found = self._from_cache(number)
        if found is not None:
            return found
        if number not in self._waiting:
            if len(self._waiting) >= MAX_WAITING:
                raise RefusedError(503, 'too many pictures are requested at once: try again later')
            self._waiting[number] = asyncio.get_running_loop().create_future()
            self._next.append(number)
            self._start_request()
        # Several requests may wait for this picture, so cancelling one must not cancel the future.
        return await asyncio.shield(self._waiting[number])

    async def close(self) -> None:
        """Cancel all requests to the node."""
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)

    def _start_request(self) -> None:
        if self._next and len(self._requests) < _REQUESTS_AT_A_TIME:
            request = asyncio.get_running_loop().create_task(self._request())
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)
            request.add_done_callback(lambda _: self._start_request())

    async def _request(self) -> None:
        await asyncio.sleep(WAIT_S)
        batch, self._next = self._next[:BATCH], self._next[BATCH:]
        futures = {number: self._waiting[number] for number in batch}
        try:
            while batch:
                pictures = await self._fetch(batch)
                for number, jpeg in pictures:
                    self._keep(number, jpeg)
                    futures[number].set_result(jpeg)
                # The node may have omitted pictures after the last received one.  Pictures that
                # are missing before it do not exist.
                done = batch.index(pictures[-1][0]) + 1 if pictures else len(batch)
                batch = batch[done:]
        except Exception as error:  # noqa: BLE001 - passed on by the futures
            for future in futures.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # otherwise asyncio logs the exception
        finally:
            for number, future in futures.items():
                del self._waiting[number]
                if not future.done():
                    future.set_result(None)

    def _keep(self, number: int, jpeg: bytes) -> None:
        self._drop(number)
        self._cache[number] = self._clock(), jpeg
        self._cached_bytes += len(jpeg)
        while self._cached_bytes > CACHE_BYTES:
            self._drop(next(iter(self._cache)))

    def _drop(self, number: int) -> None:
        if number in self._cache:
            self._cached_bytes -= len(self._cache.pop(number)[1])

    def _from_cache(self, number: int) -> bytes | None:
        since, jpeg = self._cache.get(number, (0.0, b''))
        if jpeg and self._clock() - since > CACHE_S:
            self._drop(number)
            return None
        return jpeg or None
