# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A robot of a fleet as a process that may be killed at any time: a ledger that synchronizes.

It teaches at random until it reads ``settle``, and responds to ``look`` with a line of JSON.  Each
claim is written to a file before (``will``) and after (``did``) the ledger has taken it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import hashlib
import json
from pathlib import Path
import random
import sys
from typing import Any

from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.ledger.sealing import Draft
from support.online_member import drafts, FleetMember

LABELS = ('cup', 'mug', 'jug', '')


class Robot:
    """
    A member that teaches at random.

    Args:
        member: the member.
        folder: its folder, for the file of claims.
    """

    def __init__(self, member: FleetMember, folder: Path) -> None:
        self._member = member
        self._random = random.Random()
        self._log = (folder / 'claims').open('a', buffering=1)
        self._is_settled = False

    async def run(self) -> None:
        """Teach, and obey standard input until its end."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        teaching = asyncio.create_task(self._teach())
        async with self._member:
            while line := (await reader.readline()).decode().strip():
                if line == 'settle':
                    self._is_settled = True
                    await teaching
                print(json.dumps(await asyncio.to_thread(self._look)), flush=True)

    async def _teach(self) -> None:
        while not self._is_settled:
            await asyncio.to_thread(self._claim)
            self._member.synchronization.wake()
            await asyncio.sleep(self._random.expovariate(20))

    def _claim(self) -> None:
        for draft in self._some():
            self._log.write(f'will {draft.sample.hex()} {draft.label}\n')
            self._member.ledger.claim([draft])
            self._log.write(f'did {draft.sample.hex()} {draft.label}\n')

    def _some(self) -> list[Draft]:
        """Return new samples, or another label for samples of anyone."""
        known = self._member.ledger.evidence(own=True).ids
        if len(known) and self._random.random() < 0.4:
            sample = bytes(known[self._random.randrange(len(known))])
            return [Draft(sample, self._random.choice(LABELS), '')]
        return drafts(
            self._random.randint(1, 4),
            self._random.choice(LABELS[:-1]),
            self._random.getrandbits(60),
        )

    def _look(self) -> dict[str, Any]:
        ledger = self._member.ledger
        return {
            'dump': hashlib.sha256(ledger.dump().encode()).hexdigest(),
            'own': {sample.hex(): claim.label for sample, claim in ledger.own_claims().items()},
            'unsealed': ledger.unsealed_count,
            'behind': self._member.status.behind,
            'count': self._member.count(),
            'problem': self._member.status.problem,
        }


def acceptable(log: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each sample that a killed robot has claimed, and the labels that it may have now."""
    found: dict[str, set[str]] = {}
    for line in log.read_text().splitlines():
        when, sample, label = line.split(' ')
        if when == 'did':
            found[sample] = {label}
        elif sample in found:
            # It was killed before it knew whether this was stored.
            found[sample].add(label)
    yield from found.items()


def main() -> None:
    """Run a robot: folder, URL, seed of its key, file of the roster."""
    folder, url, seed, roster = sys.argv[1:]
    Path(folder).mkdir(exist_ok=True)

    async def run() -> None:
        member = FleetMember(
            Key.from_seed(seed),
            [url],
            Path(roster).read_bytes(),
            path=Path(folder) / 'fleet.db',
        )
        await Robot(member, Path(folder)).run()

    asyncio.run(run())


if __name__ == '__main__':
    main()
