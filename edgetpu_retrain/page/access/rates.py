# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Rates: how many requests a client may send."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
import time

from edgetpu_retrain.page.refused import RefusedError

READS_PER_S = 200.0
"""Requests that change nothing, per second and client, on average; thumbnails are most of them."""

READS_AT_ONCE = 1000
"""Maximum number of such requests at once: some screens full of thumbnails."""

WRITES_PER_S = 10.0
"""Requests that change something, per second and client, on average."""

WRITES_AT_ONCE = 40
"""Maximum number of such requests at once: a key that repeats while it is down."""

MAX_CLIENTS = 1024
"""Maximum number of clients; beyond it, the one that sent nothing for longest is forgotten."""


class Rates:
    """
    A token bucket for each client: requests take permits, which return as time passes.

    Args:
        per_s: permits that return per second.
        at_once: size of a bucket.
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
        Take permits of a client.

        Args:
            client: identifies the client.
            count: number of permits.

        Raises:
            RefusedError: if the client has too few left.
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
