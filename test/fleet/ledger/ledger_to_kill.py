# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A member that claims, seals and receives packs until it is killed.

    python3 ledger_to_kill.py FLEET_DB SEED LAST_VALUE

It prints ``doing`` and what before each step, and ``done`` with the result after it.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
from pathlib import Path
import random
import sys

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.pack import encode, NO_PACK, Payload, seal
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from support.fleet_members import (
    draft,
    embedding,
    FLEET,
    member,
    NOW_MS,
    robot_key,
    roster,
    sample_id,
    SPACE,
)

ME, OTHER = robot_key(1), robot_key(2)


def received_packs() -> Iterator[tuple[bytes, bytes]]:
    """Yield hash and message of the packs of another member, the same in each life."""
    previous, sequence = NO_PACK, 0
    for number in range(1_000_000):
        values = range(10**6 + sequence, 10**6 + sequence + 300)
        claims = [
            Claim(sample_id(value), 'mug', 'today', NOW_MS << 16, sequence + place)
            for place, value in enumerate(values)
        ]
        payloads = {sample_id(value): Payload(embedding(value)) for value in values}
        pack = seal(OTHER, '0' * 16, number, previous, SPACE, claims, payloads)
        previous, sequence = pack.hash, sequence + len(claims)
        yield pack.hash, encode(pack, payloads)


def say(**line: object) -> None:
    """Print a line at once, which a killed process has printed wholly or not at all."""
    os.write(1, f'{json.dumps(line)}\n'.encode())


def main() -> None:
    """Work until the process is killed."""
    path, chance = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
    with Ledger(path, SPACE, me=ME.public, fleet=FLEET.public) as ledger:
        ledger.set_roster(roster([member(1), member(2)]))
        value = int(sys.argv[3])
        packs = received_packs()
        while True:
            match chance.randrange(4):
                case 0 | 1:
                    values = [value + place + 1 for place in range(chance.choice((1, 20, 400)))]
                    say(doing='claim', values=values)
                    ledger.claim([draft(each, 'cup') for each in values])
                    value = values[-1]
                    say(done='claim', values=values)
                case 2:
                    say(doing='seal')
                    sealed = ledger.seal(ME, 20_000)
                    say(done='seal', packs=[digest.hex() for digest in sealed])
                case 3:
                    digest, message = next(packs)
                    say(doing='receive')
                    outcome = ledger.receive(message).outcome
                    say(done='receive', packs=[digest.hex()], outcome=outcome)


if __name__ == '__main__':
    main()
