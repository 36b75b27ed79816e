# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""HubSession: reads from a hub and publishes there, over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import hashlib
import math
import random
import time
from typing import Any, TypeVar

from edgetpu_retrain.errors import HubDeniedError, HubFullError, HubRefusedError, RosterError
from edgetpu_retrain.fleet.evidence.pack import peek
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.hub.releases import Releases
from edgetpu_retrain.fleet.hub.stream_reader import open_reader, StreamMessage, StreamReader
from edgetpu_retrain.fleet.hub.streams import (
    EVIDENCE,
    evidence_pattern,
    evidence_subject,
    origin_of,
    RELEASES,
    ROSTER,
    STREAMS,
)
from edgetpu_retrain.fleet.hub.tasks import run_until_first_ends, wait_for_event
from edgetpu_retrain.fleet.ledger.ledger import Ledger

LONGEST_RETRY_S = 60.0
"""Longest time between retries while a hub is full or denies access, seconds."""

_TIDY_S = 3.0
_REPEAT_S = 3.0
"""
Time until a message is published again that the hub did not store, seconds.

The hub does not store a message if it has one with the same id.  Usually, that is the same message
from another member, and this member reads it within this time.
"""

Result = TypeVar('Result')


class HubSession:
    """
    Synchronizes a member with a hub over one connection.

    A member reads the hub's evidence to its end.  Then it publishes the packs that the hub lacks:
    its own at once, those of others after a random time if they are still missing.  If the hub
    lacks the roster, the member publishes it after a random time.  The member publishes missing
    releases at once.

    Args:
        hub: the connection.
        ledger: the ledger of this member.
        exchange: decides what to read from this hub and publish there.
        releases: the released heads that this member has; None = releases are not read.
        on_change: called in the event loop with the name of a stream that has new content.
        rosters_within_s: longest time until a roster that the hub lacks is published, seconds.
        retry_s: time until the first retry if the hub is full or denies access, seconds; it is
            doubled for each further retry, up to :data:`LONGEST_RETRY_S`.
    """

    def __init__(
        self,
        hub: Hub,
        ledger: Ledger,
        exchange: Exchange,
        releases: Releases | None,
        on_change: Callable[[str], None],
        *,
        rosters_within_s: float,
        retry_s: float,
    ) -> None:
        self.problem = ''
        """Why the hub does not accept messages of this member; '' = it accepts them."""
        self.behind: int | None = None
        """Number of packs at the hub that this member has yet to read; None = not known yet."""
        self._hub = hub
        self._ledger = ledger
        self._exchange = exchange
        self._releases = releases
        self._on_change = on_change
        self._rosters_within_s = rosters_within_s
        self._roster_at = math.inf
        self._shortest_retry_s = retry_s
        self._one_at_a_time = asyncio.Lock()
        self._work = asyncio.Event()
        self._has_rosters = asyncio.Event()
        self._must_reread = asyncio.Event()
        self._at_end: set[str] = set()
        self._later: asyncio.TimerHandle | None = None
        self._denied: set[str] = set()
        self._taken: set[str] = set()
        self._refusal = ''

    async def run(self) -> None:
        """
        Read and publish until the connection is lost.

        Raises:
            HubError: when the connection is lost, or if the hub cannot be used.
            RetrainError: if the ledger cannot be read or written.
        """
        reading = [self._read_evidence(), self._read_rosters()]
        if self._releases is not None:
            reading.append(self._read_releases(self._releases))
        await run_until_first_ends(*reading, self._publish())

    def wake(self) -> None:
        """Make the session check whether there is anything to publish."""
        self._work.set()

    # Reading

    async def _read_evidence(self) -> None:
        reader, messages = await self._open_evidence()
        while True:
            if await self._ordered(self._receive, messages):
                self._on_change(EVIDENCE)
            self.behind = reader.behind
            if reader.behind == 0:
                self._reached_end(EVIDENCE)
            following = await self._following(reader)
            if following is None:
                await reader.close()
                reader, following = await self._open_evidence()
            messages = following

    async def _following(self, reader: StreamReader) -> list[StreamMessage] | None:
        """Wait for the next messages; return None if earlier ones are to be read again instead."""
        await self._look_for_rereading()
        reading = asyncio.ensure_future(reader.read())
        rereading = asyncio.ensure_future(self._must_reread.wait())
        try:
            await asyncio.wait({reading, rereading}, return_when=asyncio.FIRST_COMPLETED)
            return None if self._must_reread.is_set() else reading.result()
        finally:
            self._must_reread.clear()
            reading.cancel()
            rereading.cancel()
            await asyncio.gather(reading, rereading, return_exceptions=True)

    async def _look_for_rereading(self) -> None:
        if await self._ordered(lambda: self._exchange.must_reread):
            self._must_reread.set()

    async def _open_evidence(self) -> tuple[StreamReader, list[StreamMessage]]:
        """Return a reader of the evidence, and the messages that it has read already."""
        self.behind = None
        last = await self._ordered(lambda: self._exchange.remembered)
        # The reader begins at the last message that was read before.  If this message has changed
        # or is missing, the hub was restored, emptied or replaced, or samples of the message were
        # erased.
        reader = await self._open(max(last, 1))
        messages = await reader.read() if last and reader.behind else []
        if messages and messages[0].sequence == last:
            start = await self._ordered(
                self._exchange.begin, messages[0].data, messages[0].received_ms
            )
            if start == last + 1:
                return reader, messages[1:]
        else:
            start = await self._ordered(self._exchange.begin, None)
        if not last:
            return reader, []
        await reader.close()
        return await self._open(start), []

    async def _open(self, start: int) -> StreamReader:
        origin = self._ledger.me if self._exchange.own_only else '*'
        pattern = evidence_pattern(self._ledger.space.token, origin)
        return await open_reader(self._hub, EVIDENCE, pattern, start)

    def _receive(self, messages: list[StreamMessage]) -> bool:
        outcomes = {
            self._exchange.read(
                message.data, message.sequence, message.received_ms, origin_of(message.subject)
            ).outcome
            for message in messages
        }
        return bool(outcomes - {'known', 'refused'})

    async def _read_rosters(self) -> None:
        await self._read_all(ROSTER, STREAMS[ROSTER].subjects, self._read_roster)

    def _read_roster(self, message: bytes) -> bool:
        try:
            return self._exchange.read_roster(message)
        except RosterError:
            return False  # Any member may publish invalid rosters; they are ignored.

    async def _read_releases(self, releases: Releases) -> None:
        # Wait for the roster: it decides whether a release is accepted.
        await self._has_rosters.wait()
        await self._read_all(
            RELEASES,
            f'release.{self._ledger.space.token}.*',
            lambda message: releases.receive(message, self._hub.url),
        )

    async def _read_all(
        self, stream: str, subjects: str, receive: Callable[[bytes], bool]
    ) -> None:
        """Read a stream of rosters or releases, from its beginning."""
        reader = await open_reader(self._hub, stream, subjects, 1)
        while True:
            if reader.behind == 0:
                self._reached_end(stream)
            changed = False
            for message in await reader.read():
                changed |= await self._ordered(receive, message.data)
            if changed:
                self._work.set()
                self._on_change(stream)

    def _reached_end(self, stream: str) -> None:
        if stream not in self._at_end:
            self._at_end.add(stream)
            self._work.set()
            if stream == ROSTER:
                self._has_rosters.set()
        elif self._later is None:
            # Wake _publish() later: it saves the position in the stream once for all packs that
            # arrive until then.
            self._later = asyncio.get_running_loop().call_later(_TIDY_S, self._work.set)

    # Publishing

    async def _publish(self) -> None:
        retry_s = self._shortest_retry_s
        while True:
            self._work.clear()
            self._later = None
            await self._look_for_rereading()
            try:
                waits_s = [await self._publish_roster(), await self._publish_evidence()]
                await self._publish_releases()
            except (HubFullError, HubDeniedError) as error:
                # Reading continues, and the ledger keeps what could not be published.
                self.problem = str(error)
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
                continue
            self.problem, retry_s = self._refusal, self._shortest_retry_s
            await wait_for_event(self._work, min(waits_s))

    async def _publish_roster(self) -> float:
        """Publish the roster if it is due; return the seconds until it is due, or infinity."""
        roster = await self._ordered(self._exchange.roster_due) if ROSTER in self._at_end else None
        if roster is None or 'roster' in self._denied:
            self._roster_at = math.inf
            return math.inf
        # The delay is random, so that not all members send a new hub the same roster at once.
        self._roster_at = min(
            self._roster_at,
            time.monotonic() + random.uniform(0.0, self._rosters_within_s),  # noqa: S311
        )
        if (wait_s := self._roster_at - time.monotonic()) > 0:
            return wait_s
        if await self._offer('roster', roster):
            await self._ordered(self._exchange.published_roster, roster)
        elif 'roster' not in self._denied:
            self._roster_at = time.monotonic() + _REPEAT_S
            return _REPEAT_S
        return math.inf

    async def _publish_releases(self) -> None:
        if self._releases is None or RELEASES not in self._at_end:
            return
        for message in self._releases.missing(self._hub.url):
            if await self._offer(f'release.{self._ledger.space.token}', message):
                self._releases.receive(message, self._hub.url)

    async def _publish_evidence(self) -> float:
        """Publish the due packs; return the seconds until the next one is due, or infinity."""
        if EVIDENCE not in self._at_end:
            return math.inf
        if self.behind == 0:
            await self._ordered(self._exchange.caught_up)
        while hashes := await self._ordered(self._exchange.due):
            for each in hashes:
                await self._publish_pack(each)
        pause_ms = await self._ordered(self._exchange.pause_ms)
        return math.inf if pause_ms is None else pause_ms / 1000

    async def _publish_pack(self, pack: bytes) -> None:
        message = await asyncio.to_thread(self._ledger.message, pack)
        try:
            sequence = await self._send(
                evidence_subject(self._ledger.space.token, peek(message).origin, self._hub.key),
                message,
            )
        except HubRefusedError as error:
            if isinstance(error, HubDeniedError):
                raise
            self._refusal = str(error)
            self._exchange.skip(pack)
            return
        if sequence is None:
            self._exchange.postpone(pack, round(1000 * _REPEAT_S))
        else:
            await self._ordered(self._exchange.published, pack, sequence)

    async def _offer(self, kind: str, message: bytes) -> bool:
        """Publish a roster or release if permitted; return whether the hub stored it."""
        if kind in self._denied:
            return False
        try:
            return await self._send(f'{kind}.{self._hub.key}', message) is not None
        except HubRefusedError:
            self._denied.add(kind)
            return False

    async def _send(self, subject: str, message: bytes) -> int | None:
        """
        Publish a message, and return its number; None if the hub has a message with its id.

        Usually, another member has just published the same message, and this member soon reads it.
        Otherwise, a hostile member has published a different message with this id.  The next call
        for the same message therefore publishes it without an id.
        """
        digest = hashlib.sha256(message).hexdigest()
        number = await self._hub.publish(subject, message, '' if digest in self._taken else digest)
        if number is None:
            self._taken.add(digest)
            asyncio.get_running_loop().call_later(_REPEAT_S, self._work.set)
        return number

    async def _ordered(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a blocking function in a thread, one call of this session at a time."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(function, *arguments)
