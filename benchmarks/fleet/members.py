# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Many members of a fleet in one process, for benchmarks: real ones, or clients without our code.

It replies to the requests ``connect`` (all, to a hub), ``wait`` (until all have received so many
packs) and ``check`` (how many samples each has).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
import gc
import time
from typing import Any

from benchmarks.shared.dialogue import reply, requests
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.streams import EVIDENCE, evidence_pattern, inbox_prefix
import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from support.hub_network import until
from support.online_member import FleetMember, SPACE

FETCH_S = 600


class Crowd:
    """Members of a fleet, and when each has received a pack."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.size = 0
        self._members: list[FleetMember] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, url: str, seeds: list[str], roster: str, *, bare: bool) -> None:
        """Connect all, and wait until they wait for packs."""
        keys = [Key.from_seed(seed) for seed in seeds]
        self.size = len(keys)
        if bare:
            for key in keys:
                self._tasks.append(asyncio.create_task(self._receive(await subscribe(url, key))))
            return
        for key in keys:
            member = FleetMember(
                key, [url], bytes.fromhex(roster), delays=None, on_change=self._note
            )
            self._members.append(member)
            member.go_online()
        while not all(member.status.behind == 0 for member in self._members):
            await asyncio.sleep(0.1)

    def num_samples(self) -> list[int]:
        """Return how many samples each member could train on."""
        return [member.count() for member in self._members]

    def _note(self, stream: str) -> None:
        # A pack at a time: it is stored and resolved in the ledger now.
        if stream == EVIDENCE:
            self.arrivals.append(time.time())

    async def _receive(self, subscription: Any) -> None:
        while True:
            await subscription.fetch(1, timeout=FETCH_S)
            self.arrivals.append(time.time())


async def subscribe(url: str, key: Key) -> Any:
    """Connect to a hub and subscribe to its packs with nothing but nats-py."""
    client = await nats.connect(
        url, nkeys_seed_str=key.seed, inbox_prefix=inbox_prefix(key.public)
    )
    return await client.jetstream().pull_subscribe(
        evidence_pattern(SPACE.token),
        stream=EVIDENCE,
        config=ConsumerConfig(deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.NONE),
    )


async def respond(crowd: Crowd, request: Mapping[str, Any]) -> Any:
    """Return the response to a request."""
    if request['what'] == 'connect':
        await crowd.connect(
            request['url'], request['seeds'], request['roster'], bare=request['bare']
        )
        # So many rosters in one process would make it collect garbage all the time.
        gc.collect()
        gc.freeze()
        return crowd.size
    if request['what'] == 'wait':
        await until(lambda: len(crowd.arrivals) == request['packs'] * crowd.size)
        arrivals, crowd.arrivals = crowd.arrivals, []
        return {'arrivals': arrivals, 'processor_s': time.process_time()}
    return crowd.num_samples()


async def main() -> None:
    """Respond to requests until the input ends."""
    crowd, incoming = Crowd(), requests()
    while (request := await asyncio.to_thread(partial(next, incoming, None))) is not None:
        reply(await respond(crowd, request))


if __name__ == '__main__':
    asyncio.run(main())
