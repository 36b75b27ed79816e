# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stored packs are encoded as messages, whatever other packs have brought."""

from __future__ import annotations

from collections.abc import Iterable
import hashlib

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.pack import (
    encode,
    MAX_PACK_BYTES,
    NO_PACK,
    Pack,
    Payload,
    seal,
)
from support.fleet_members import (
    embedding,
    MakeLedger,
    member,
    missing_packs,
    NOW_MS,
    robot_key,
    roster,
    sample_id,
    SPACE,
)


def thumbnail(value: int) -> bytes:
    """Return 8 kB that begin and end as a JPEG file does."""
    digest = hashlib.sha256(str(value).encode()).digest()
    return b'\xff\xd8\xff' + 250 * digest + b'\xff\xd9'


def sealed(
    values: Iterable[int], epoch: int, *, signed: bool = True, sent: bool = True
) -> tuple[Pack, bytes]:
    """Return a pack, with thumbnails if they are signed, and its message."""
    bare = {sample_id(value): Payload(embedding(value)) for value in values}
    full = {sample_id(value): Payload(embedding(value), thumbnail(value)) for value in values}
    claims = [
        Claim(sample, 'mug', 'today', (NOW_MS << 16) + place, place)
        for place, sample in enumerate(bare)
    ]
    pack = seal(robot_key(2), f'{epoch:016x}', 0, NO_PACK, SPACE, claims, full if signed else bare)
    return pack, encode(pack, full if sent else bare)


def test_thumbnails_of_other_packs_do_not_make_a_pack_too_large(ledger_of: MakeLedger) -> None:
    ledger = ledger_of(1)
    ledger.set_roster(roster([member(2)]))
    for number in range(4):
        _, message = sealed(range(250 * number, 250 * number + 250), number)
        assert ledger.receive(message).outcome == 'accepted'
    large, message = sealed(range(1000), 9, sent=False)
    assert ledger.receive(message, hub='h', sequence=5, received_ms=1).outcome == 'accepted'
    assert len(message) < MAX_PACK_BYTES
    assert ledger.message(large.hash) == message
    assert large.hash not in missing_packs(ledger, 'h')


def test_a_thumbnail_that_a_pack_has_not_signed_is_not_missing(ledger_of: MakeLedger) -> None:
    ledger = ledger_of(1)
    ledger.set_roster(roster([member(2)]))
    _, message = sealed([7], 1)
    assert ledger.receive(message).outcome == 'accepted'
    bare, message = sealed([7], 2, signed=False, sent=False)
    assert ledger.receive(message, hub='h', sequence=1, received_ms=1).outcome == 'accepted'
    assert bare.hash not in missing_packs(ledger, 'h')


def test_a_thumbnail_that_came_with_another_pack_is_missing_at_the_hub(
    ledger_of: MakeLedger,
) -> None:
    ledger = ledger_of(1)
    ledger.set_roster(roster([member(2)]))
    _, message = sealed([7], 1)
    assert ledger.receive(message).outcome == 'accepted'
    other, message = sealed([7], 2, sent=False)
    assert ledger.receive(message, hub='h', sequence=1, received_ms=1).outcome == 'accepted'
    assert other.hash in missing_packs(ledger, 'h')
    assert thumbnail(7) in ledger.message(other.hash)
