# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Synchronization: keeps a member's ledger equal to its hubs, as long as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from dataclasses import dataclass
import random
import time

from edgetpu_retrain.errors import HubError, RetrainError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect, Hub, HubCredentials
from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.hub.releases import Releases
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.hub.session import HubSession
from edgetpu_retrain.fleet.ledger.ledger import Ledger

NOT_TRIED = 'not connected yet'
"""The problem of a hub to which no connection was tried."""

_RELAY_AFTER_MS = (0, 500)
# A connection that lasted so long was a good one: the next is tried soon.
_GOOD_S = 30.0


@dataclass(frozen=True)
class Delays:
    """
    How long a member waits.

    Args:
        others_ms: shortest and longest time until it publishes the packs of others that a hub has
            lost, milliseconds; a roster within the shortest.  A member of several hubs passes
            everything on within half a second.
        retry_s: shortest and longest time between two attempts to connect, seconds.
    """

    others_ms: tuple[int, int] = (2_000, 30_000)
    retry_s: tuple[float, float] = (0.5, 30.0)


@dataclass(frozen=True)
class HubStatus:
    """
    A hub as this member sees it.

    Args:
        url: its address.
        connected: whether there is a connection.
        behind: number of packs that the member has yet to read; None = not known.
        problem: what is wrong, in a sentence; '' = nothing.
    """

    url: str
    connected: bool
    behind: int | None
    problem: str


class Synchronization:
    """
    Connects to hubs, again and again, and synchronizes the ledger with each.

    Args:
        ledger: what this member has.
        key: the key of this member.
        hubs: address and credentials of each hub; a member of several passes on what one lacks.
        on_change: called in the event loop with the name of a stream when something new came.
        accept_release: whether a message is a release that this member may use; called in a
            thread.  None = releases are not even read.
        delays: how long to wait.
    """

    def __init__(
        self,
        ledger: Ledger,
        key: Key,
        hubs: Iterable[tuple[str, HubCredentials]],
        *,
        on_change: Callable[[str], None] = lambda _: None,
        accept_release: Callable[[bytes], bool] | None = None,
        delays: Delays | None = None,
    ) -> None:
        self._ledger = ledger
        self._key = key
        self._releases = None if accept_release is None else Releases(accept_release)
        self._on_change = on_change
        self._delays = delays or Delays()
        self._links = [_Link(url, credentials) for url, credentials in hubs]
        self._others_ms = _RELAY_AFTER_MS if len(self._links) > 1 else self._delays.others_ms

    async def run(self) -> None:
        """Synchronize until cancelled."""
        await asyncio.gather(*(self._keep_connected(link) for link in self._links))

    def wake(self) -> None:
        """Publish what was added to the ledger; called in the event loop."""
        for link in self._links:
            if link.session is not None:
                link.session.wake()

    def publish_release(self, message: bytes) -> None:
        """
        Publish a released head on all hubs, now or when they are connected.

        It needs a member that reads releases.
        """
        assert self._releases is not None
        self._releases.add(message)
        self.wake()

    async def publish_report(self, report: Report) -> None:
        """Publish a report on all hubs that are connected; the others will have the next one."""
        message = report.encode(self._key)
        for hub in [link.hub for link in self._links if link.hub is not None]:
            with contextlib.suppress(HubError):
                await hub.publish_report(message)

    def status(self) -> list[HubStatus]:
        """Return what is known of each hub."""
        return [link.status() for link in self._links]

    async def _keep_connected(self, link: _Link) -> None:
        shortest_s, longest_s = self._delays.retry_s
        retry_s = shortest_s
        while True:
            started = time.monotonic()
            try:
                await self._synchronize(link)
            except RetrainError as error:
                link.problem = str(error)
            if time.monotonic() - started > _GOOD_S:
                retry_s = shortest_s
            # Not all members at the same time, when a hub comes back.
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))  # noqa: S311
            retry_s = min(2 * retry_s, longest_s)

    async def _synchronize(self, link: _Link) -> None:
        """Connect to a hub, and synchronize until the connection is lost."""
        hub = await connect(link.url, link.credentials)
        try:
            if self._releases is not None:
                self._releases.forget(link.url)
            link.hub = hub
            link.session = HubSession(
                hub,
                self._ledger,
                await asyncio.to_thread(self._exchange, hub),
                self._releases,
                self._changed,
                rosters_within_s=self._others_ms[0] / 1000,
                retry_s=self._delays.retry_s[0],
            )
            await link.session.run()
        finally:
            link.hub = link.session = None
            await hub.close()

    def _exchange(self, hub: Hub) -> Exchange:
        return Exchange(
            self._ledger,
            hub.url,
            self._key,
            max_bytes=hub.max_bytes,
            others_after_ms=self._others_ms,
        )

    def _changed(self, stream: str) -> None:
        if len(self._links) > 1:
            self.wake()
        self._on_change(stream)


class _Link:
    """A hub, connected or not."""

    def __init__(self, url: str, credentials: HubCredentials) -> None:
        self.url = url
        self.credentials = credentials
        self.hub: Hub | None = None
        self.session: HubSession | None = None
        self.problem = NOT_TRIED

    def status(self) -> HubStatus:
        """Return what is known of the hub."""
        session = self.session
        if session is None:
            return HubStatus(self.url, connected=False, behind=None, problem=self.problem)
        return HubStatus(self.url, connected=True, behind=session.behind, problem=session.problem)
