# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Rates: limits the rate of requests, messages or bytes from each client."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
import time

from edgetpu_retrain.page.refused import RefusedError

READS_PER_S = 200.0
"""Maximum average rate of a client's read requests, per second; most are for thumbnails."""

READS_AT_ONCE = 1000
"""Maximum number of read requests at once: several screens full of thumbnails."""

WRITES_PER_S = 10.0
"""Maximum average rate of a client's write requests, per second."""

WRITES_AT_ONCE = 40
"""Maximum number of write requests at once: a key repeats its request while it is held down."""

MAX_CLIENTS = 1024
"""Maximum number of clients; beyond it, the least recently active client is forgotten."""


class Rates:
    """
    Limits the rate of each client by a token bucket.

    Each request, message or byte takes a permit from the bucket of its client.  The bucket is
    refilled over time.

    Args:
        per_s: number of permits that are refilled per second.
        at_once: maximum number of permits in a bucket.
        clock: returns the time, seconds.
    """

    def __init__(
        self, per_s: float, at_once: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, count: int = 1) -> None:
        """
        Take permits from the bucket of a client.

        Args:
            client: identifies the client.
            count: number of permits.

        Raises:
            RefusedError: if the bucket contains too few permits; then no permit is taken.
        """
        now = self._clock()
        permits, since = self._buckets.pop(client, (float(self._at_once), now))
        permits = min(float(self._at_once), permits + (now - since) * self._per_s)
        is_allowed = permits >= count
        self._buckets[client] = permits - count * is_allowed, now
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        if not is_allowed:
            raise RefusedError(
                429, f'more than {self._per_s:.0f} requests a second: wait a second, then go on'
            )
