# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""How soon all members have the evidence of a class that one of them was taught."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
from statistics import median
import sys
import time
from typing import Any

from benchmarks.shared.dialogue import Child
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.streams import evidence_subject, inbox_prefix
import nats
from support.hub_server import HubServer
from support.online_member import drafts, FleetMember, prepare, roster_of, SPACE

NUM_SAMPLES = 50
"""A class that is taught for five seconds, ten samples a second."""

NUM_PROCESSES = 2


def spread(folder: Path, num_members: int, rounds: int) -> dict[str, Any]:
    """
    Teach one member a new class, again and again, and wait until all have its samples.

    Args:
        folder: an empty folder.
        num_members: number of members that receive.
        rounds: how often.

    Returns:
        Seconds until the last member had it and processor time of a member, each with the floor:
        the same packs through the same server, received by clients without our code.
    """
    keys = [Key.generate() for _ in range(num_members + 1)]
    roster = roster_of(keys)
    with HubServer(folder / 'hub', {key.public: ['teach'] for key in keys}) as hub:
        asyncio.run(prepare(hub))
        with children(folder, 'members', hub.url, keys[1:], roster, bare=False) as members:
            ours, packs, processor_s = asyncio.run(
                teach(hub.url, keys[0], roster, members, rounds)
            )
            for child in members:
                counts = child.request(what='check')
                assert counts == [NUM_SAMPLES * rounds] * len(counts), counts
        with children(folder, 'clients', hub.url, keys[1:], roster, bare=True) as clients:
            floor, floor_s = asyncio.run(publish(hub.url, keys[0], packs, clients))
    return {
        'members': num_members,
        'samples': NUM_SAMPLES,
        'bytes': len(packs[0]),
        'last_s': median(ours),
        'floor_s': median(floor),
        'times_floor': median(ours) / median(floor),
        'worst_s': max(ours),
        'processor_s_of_a_member': processor_s / rounds / num_members,
        'processor_s_of_a_client': floor_s / rounds / num_members,
    }


@contextlib.contextmanager
def children(
    folder: Path, name: str, url: str, keys: list[Key], roster: bytes, *, bare: bool
) -> Iterator[list[Child]]:
    """Run processes that have the members among them, connected."""
    environment = os.environ | {'PYTHONPATH': os.pathsep.join(sys.path)}
    command = [sys.executable, '-m', 'benchmarks.fleet.members']
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(NUM_PROCESSES):
            child = stack.enter_context(
                Child(command, environment, folder / f'{name}_{number}.log')
            )
            seeds = [key.seed for key in keys[number::NUM_PROCESSES]]
            child.request(what='connect', url=url, seeds=seeds, roster=roster.hex(), bare=bare)
            found.append(child)
        yield found


async def teach(
    url: str, key: Key, roster: bytes, members: list[Child], rounds: int
) -> tuple[list[float], list[bytes], float]:
    """Return the seconds of each round, the packs, and the processor time of all members."""
    async with FleetMember(key, [url], roster) as teacher:
        while teacher.status.behind != 0:
            await asyncio.sleep(0.1)
        before = await wait(members, 0)
        seconds, after = [], before
        for number in range(rounds):
            samples = drafts(NUM_SAMPLES, f'class {number}', number)
            started = time.time()
            await asyncio.to_thread(teacher.ledger.claim, samples)
            teacher.synchronization.wake()
            after = await wait(members, 1)
            seconds.append(max(after[0]) - started)
        packs = [
            teacher.ledger.message(each.hash) for each in teacher.ledger.hub('nowhere').missing()
        ]
    return seconds, packs, after[1] - before[1]


async def publish(
    url: str, key: Key, packs: list[bytes], clients: list[Child]
) -> tuple[list[float], float]:
    """Publish the same packs without our code; return the seconds, and the processor time."""
    client = await nats.connect(
        url, nkeys_seed_str=key.seed, inbox_prefix=inbox_prefix(key.public)
    )
    before = await wait(clients, 0)
    seconds, after = [], before
    for pack in packs:
        started = time.time()
        await client.jetstream().publish(
            evidence_subject(SPACE.token, key.public, key.public), pack
        )
        after = await wait(clients, 1)
        seconds.append(max(after[0]) - started)
    await client.close()
    return seconds, after[1] - before[1]


async def wait(processes: list[Child], packs: int) -> tuple[list[float], float]:
    """Wait until all members have so many packs more; return when, and their processor time."""
    replies = await asyncio.gather(
        *(asyncio.to_thread(each.request, what='wait', packs=packs) for each in processes)
    )
    arrivals = [arrival for each in replies for arrival in each['arrivals']]
    return arrivals, sum(each['processor_s'] for each in replies)
