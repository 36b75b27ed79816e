# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A fleet for tests: a roster, and members with real ledgers that teach random samples."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from pathlib import Path
import random
from typing import Any

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import Payload
from edgetpu_retrain.fleet.hub.connection import connect
from edgetpu_retrain.fleet.hub.stream_creation import create_streams
from edgetpu_retrain.fleet.hub.synchronization import Delays, HubStatus, Synchronization
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.roster.roster_message import sign
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from support.fleet_members import FLEET
from support.hub_server import HubServer, TestCredentials

SPACE = EmbeddingSpace(
    'ab' * 32, EmbeddingKind(1280, 'uint8', QuantizationParameters(0.02, 0)), ''
)
SOON = Delays(others_ms=(50, 300), retry_s=(0.05, 0.5))


def roster_of(members: Iterable[Key], version: int = 1) -> bytes:
    """Return a signed roster in which all keys may teach."""
    listed = tuple(
        Member(key.public, f'robot {number}', frozenset({'teach'}))
        for number, key in enumerate(members)
    )
    return sign(Roster(FLEET.public, version, 1_700_000_000_000 + version, listed), FLEET)


def drafts(count: int, label: str, seed: int, space: EmbeddingSpace = SPACE) -> list[Draft]:
    """Return random samples of a label, each a draft of a claim."""
    source = random.Random(seed)
    found = []
    for _ in range(count):
        embedding = source.randbytes(space.kind.num_bytes)
        found.append(
            Draft(space.sample_id(embedding), label, f'day {seed}', Payload(embedding, None))
        )
    return found


class FleetMember:
    """
    A member with a ledger, which synchronizes while it is online.

    Args:
        key: its key.
        urls: addresses of its hubs.
        roster: the roster that it has; b'' = none yet.
        path: its database.
        space: the space of its samples.
        options: arguments for the Synchronization.
    """

    def __init__(
        self,
        key: Key,
        urls: Iterable[str],
        roster: bytes = b'',
        *,
        path: Path | str = ':memory:',
        space: EmbeddingSpace = SPACE,
        **options: Any,
    ) -> None:
        self.key = key
        self.changes: list[str] = []
        self.ledger = Ledger(path, space, me=key.public, fleet=FLEET.public)
        if roster:
            self.ledger.set_roster(roster)
        settings: dict[str, Any] = {'delays': SOON, 'on_change': self.changes.append}
        self.synchronization = Synchronization(
            self.ledger,
            key,
            [(url, TestCredentials(key.seed)) for url in urls],
            **(settings | options),
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> FleetMember:
        self.go_online()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go_offline()
        self.ledger.close()

    def go_online(self) -> None:
        """Synchronize; if that fails, so does the test."""
        test = asyncio.current_task()
        assert test is not None

        def end(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None:
                test.cancel()

        self._task = asyncio.create_task(self.synchronization.run())
        self._task.add_done_callback(end)

    async def go_offline(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            if task.done():
                task.result()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def teach(self, count: int, label: str, seed: int) -> None:
        """Teach random samples."""
        self.ledger.claim(drafts(count, label, seed, self.ledger.space))
        self.synchronization.wake()

    @property
    def status(self) -> HubStatus:
        """The status of its first hub."""
        return self.synchronization.status()[0]

    def count(self) -> int:
        """Return how many samples it could train on."""
        return len(self.ledger.evidence(own=True).ids)


def are_equal(*members: FleetMember, count: int) -> Callable[[], bool]:
    """Return a condition: all members have the same evidence, of so many samples."""

    def condition() -> bool:
        dumps = {member.ledger.dump() for member in members if member.count() == count}
        return len(dumps) == 1 and all(member.count() == count for member in members)

    return condition


async def prepare(server: HubServer, evidence_bytes: int = -1) -> None:
    """Create the streams of a hub, or change the limit of its evidence."""
    hub = await connect(server.url, server.station_credentials)
    await create_streams(hub, evidence_bytes)
    await hub.close()


async def num_stored(server: HubServer) -> int:
    """Return how many packs a hub has."""
    hub = await connect(server.url, server.station_credentials)
    response = await hub.api('STREAM.INFO.EVIDENCE', {})
    await hub.close()
    return int(response['state']['messages'])
