# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Synchronization: connects a member to its hubs, and keeps its ledger up to date with them."""

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
from edgetpu_retrain.fleet.hub.tasks import run_until_first_ends
from edgetpu_retrain.fleet.ledger.ledger import Ledger

NOT_TRIED = 'not connected yet'
"""The problem of a hub before the first attempt to connect ends."""

_RELAY_AFTER_MS = (0, 500)
# Seconds.  After a connection that lasted longer, the next attempt to connect follows soon.
_GOOD_S = 30.0


@dataclass(frozen=True)
class Delays:
    """
    How long a member waits.

    Args:
        others_ms: shortest and longest time until the member publishes packs of others that a hub
            lacks, milliseconds.  A roster that a hub lacks is published before the shortest time
            has passed.  Ignored with several hubs: then packs are passed on within half a second.
        retry_s: shortest and longest time between two attempts to connect, seconds; each is
            randomly reduced by up to half.
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
        problem: what is wrong, a sentence; '' = nothing.
    """

    url: str
    connected: bool
    behind: int | None
    problem: str


class Synchronization:
    """
    Connects to hubs, reconnects after each loss, and synchronizes the ledger with each hub.

    Args:
        ledger: the ledger of this member.
        key: the key of this member.
        hubs: address and credentials of each hub; with several, what the member reads from one
            hub is published on the others.
        on_change: called in the event loop with the name of a stream that has new content.
        accept_release: returns whether a message is a release that this member may use; called in
            a thread.  None = releases are not read.
        own_packs_only: whether the member reads and publishes only its own packs.  Packs of others
            that it already has are deleted, see :meth:`Ledger.drop_others`.
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
        own_packs_only: bool = False,
        delays: Delays | None = None,
    ) -> None:
        self._ledger = ledger
        self._key = key
        self._releases = None if accept_release is None else Releases(accept_release)
        self._on_change = on_change
        self._own_packs_only = own_packs_only
        self._delays = delays or Delays()
        self._links = [_Link(url, credentials) for url, credentials in hubs]
        self._others_ms = _RELAY_AFTER_MS if len(self._links) > 1 else self._delays.others_ms

    async def run(self) -> None:
        """Synchronize until cancelled."""
        if self._own_packs_only:
            await asyncio.to_thread(self._ledger.drop_others)
        await run_until_first_ends(*(self._keep_connected(link) for link in self._links))

    def wake(self) -> None:
        """Publish what was added to the ledger; call this in the event loop."""
        for link in self._links:
            if link.session is not None:
                link.session.wake()

    async def publish_report(self, report: Report) -> None:
        """Publish a report on all hubs that are connected now."""
        message = report.encode(self._key)
        for hub in self._connected():
            with contextlib.suppress(HubError):
                await hub.publish_report(message)

    async def relay_report(self, url: str, about: str, message: bytes) -> None:
        """
        Publish a report of another member on all connected hubs but the one that it came from.

        Args:
            url: address of the hub that the report came from.
            about: public key of the member that the report is about.
            message: the report.
        """
        for hub in self._connected():
            if hub.url != url:
                with contextlib.suppress(HubError):
                    await hub.publish_report(message, about)

    def status(self) -> list[HubStatus]:
        """Return the status of each hub, in the order of the argument ``hubs``."""
        return [link.status() for link in self._links]

    def _connected(self) -> list[Hub]:
        return [link.hub for link in self._links if link.hub is not None]

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
            # Random, so that not all members connect at the same time when a hub is up again.
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
            own_only=self._own_packs_only,
            others_after_ms=self._others_ms,
        )

    def _changed(self, stream: str) -> None:
        if len(self._links) > 1:
            self.wake()
        self._on_change(stream)


class _Link:
    """A hub, and its connection if there is one."""

    def __init__(self, url: str, credentials: HubCredentials) -> None:
        self.url = url
        self.credentials = credentials
        self.hub: Hub | None = None
        self.session: HubSession | None = None
        self.problem = NOT_TRIED

    def status(self) -> HubStatus:
        """Return the status of the hub."""
        session = self.session
        if session is None:
            return HubStatus(self.url, connected=False, behind=None, problem=self.problem)
        return HubStatus(self.url, connected=True, behind=session.behind, problem=session.problem)
