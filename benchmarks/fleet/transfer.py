# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
How many bytes a robot receives that learns from evidence, and one that learns from releases.

Run ``python -m benchmarks.fleet.transfer`` in an environment with the tests' packages.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
import tempfile

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.connection import connect
from support.hub_network import Link, until
from support.hub_server import HubServer
from support.online_member import FleetMember, num_stored, prepare, roster_of, SPACE

NUM_TEACHERS, NUM_PACKS, NUM_SAMPLES = 20, 10, 30
"""Each of the teachers publishes packs of so many samples: 20 robots in 10 days."""

RELEASE_BYTES = 277_000
"""Length of a released head of 20 classes."""


async def received(hub: HubServer, key: Key, roster: bytes, *, own_packs_only: bool) -> list[int]:
    """Return the bytes that a robot receives when it joins, and for one pack of its own."""
    link = Link(hub.port)
    await link.restore()
    releases: list[bytes] = []

    def accept(message: bytes) -> bool:
        releases.append(message)
        return True

    async with FleetMember(
        key, [link.url], roster, accept_release=accept, own_packs_only=own_packs_only
    ) as robot:
        await until(lambda: bool(releases) and robot.status.behind == 0)
        joined = link.received
        before = await num_stored(hub)
        robot.teach(NUM_SAMPLES, 'own', 1)

        async def is_published() -> bool:
            return await num_stored(hub) > before

        await until(is_published)
        await until(lambda: robot.status.behind == 0)
        taught = link.received - joined
    await link.cut()
    return [joined, taught]


async def measure(folder: Path) -> None:
    """Print the bytes of both robots."""
    keys = [Key.generate() for _ in range(NUM_TEACHERS + 2)]
    roster = roster_of(keys)
    with HubServer(folder / 'hub', {key.public: ['teach'] for key in keys}) as hub:
        await prepare(hub)
        for number, key in enumerate(keys[2:]):
            async with FleetMember(key, [hub.url], roster) as teacher:
                for pack in range(NUM_PACKS):
                    teacher.teach(NUM_SAMPLES, 'cup', 1000 * number + pack + 10)
                    count = NUM_PACKS * number + pack + 1

                    async def is_stored(count: int = count) -> bool:
                        return await num_stored(hub) == count

                    await until(is_stored)
        station = await connect(hub.url, hub.station_credentials)
        release = os.urandom(RELEASE_BYTES)
        await station.publish(f'release.{SPACE.token}.{station.key}', release, 'release')
        await station.close()
        for name, key, own in (('releases', keys[0], True), ('evidence', keys[1], False)):
            joined, taught = await received(hub, key, roster, own_packs_only=own)
            print(f'{name}: {joined} bytes to join, {taught} for a pack of its own')


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measure(Path(name)))
