# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a member knows of the packs of each hub: which are there, and with which bytes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
from edgetpu_retrain.fleet.evidence.pack import decode, encode
from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.ledger.hubs import hub_record
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.ledger.sealing import Draft
import numpy as np
import pytest
from support.fleet_members import (
    draft,
    MakeLedger,
    member,
    missing_packs,
    NOW_MS,
    robot_key,
    roster,
    sample_id,
    SPACE,
)

JPEG = cv2.imencode('.jpg', np.zeros((48, 64, 3), np.uint8))[1].tobytes()
EVERYONE = (member(1), member(2))


def sealed(ada: Ledger, *drafts: Draft) -> tuple[bytes, bytes]:
    """Return hash and message of a new pack."""
    ada.claim(drafts)
    (digest,) = ada.seal(robot_key(1))
    return digest, ada.message(digest)


def without_bytes(message: bytes) -> bytes:
    """Return a pack without the bytes of its samples."""
    return encode(decode(message, SPACE)[0], {})


def without_pictures(message: bytes) -> bytes:
    """Return a pack without the pictures of its samples."""
    pack, payloads = decode(message, SPACE)
    return encode(
        pack, {sample: payload._replace(jpeg=None) for sample, payload in payloads.items()}
    )


@pytest.mark.parametrize('strip', [without_bytes, without_pictures])
@pytest.mark.parametrize('comes_first', [True, False])
def test_a_pack_is_missing_at_a_hub_that_lacks_its_bytes(
    ledger_of: MakeLedger, strip: Callable[[bytes], bytes], comes_first: bool
) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster(EVERYONE))
    digest, message = sealed(ada, draft(1, 'cup', jpeg=JPEG))
    versions = [('poor', strip(message)), ('rich', message)]
    for hub, version in versions if comes_first else reversed(versions):
        bob.receive(version, hub=hub, sequence=1, received_ms=NOW_MS)
    assert (missing_packs(bob, 'poor'), missing_packs(bob, 'rich')) == ([digest], [])
    assert bob.message(digest) == message
    # Reading the poor version again changes nothing.
    bob.receive(strip(message), hub='poor', sequence=1, received_ms=NOW_MS)
    assert missing_packs(bob, 'poor') == [digest]
    bob.hub('poor').acknowledged(digest, 2)
    assert missing_packs(bob, 'poor') == []


def test_an_acknowledged_pack_is_not_published_again(ledger_of: MakeLedger) -> None:
    ada = ledger_of(1)
    digest, message = sealed(ada, draft(1, 'cup'))
    assert missing_packs(ada, 'base') == [digest]
    ada.hub('base').acknowledged(digest, 1)
    assert missing_packs(ada, 'base') == []
    # Nor when it comes back from the hub.
    assert ada.receive(message, hub='base', sequence=1, received_ms=NOW_MS).outcome == 'known'
    assert missing_packs(ada, 'base') == []


def test_a_hub_that_has_acknowledged_a_duplicate_has_the_pack(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster(EVERYONE))
    digest, message = sealed(ada, draft(1, 'cup'))
    bob.receive(message)
    bob.receive(without_bytes(message), hub='base', sequence=1, received_ms=NOW_MS)
    bob.hub('base').acknowledged(digest, 1)
    assert missing_packs(bob, 'base') == []


def test_bytes_that_are_no_longer_to_be_erased_are_read_again(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    _, message = sealed(ada, draft(1, 'cup'))
    exchange = Exchange(bob, 'base', None)
    bob.set_roster(roster(EVERYONE, erased=[1]))
    exchange.begin(None)
    exchange.read(message, 1, NOW_MS)
    exchange.caught_up()
    assert (bob.payload(sample_id(1)), exchange.must_reread) == (None, False)
    bob.set_roster(roster(EVERYONE, version=2))
    assert exchange.must_reread
    assert exchange.begin(message, NOW_MS) == 1
    exchange.read(message, 1, NOW_MS)
    exchange.caught_up()
    assert bob.payload(sample_id(1)) == draft(1, 'cup').payload
    assert not exchange.must_reread


@pytest.fixture
def many_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few packs be as many as a member does not look at again and again."""
    monkeypatch.setattr(hub_record, '_UNTIL_STEP', 1)


@pytest.mark.usefixtures('many_packs')
def test_packs_that_a_newer_roster_accepts_are_missing(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster([member(2)]))
    digest, message = sealed(ada, draft(1, 'cup'))
    bob.receive(message)
    bob.hub('base').set_position(1)
    assert [missing_packs(bob, 'base') for _ in range(2)] == [[], []]
    bob.set_roster(roster(EVERYONE, version=2))
    assert missing_packs(bob, 'base') == [digest]


def published(ledger: Ledger, position: int) -> list[bytes]:
    """Publish three packs at a hub of which one message or all are read; return their hashes."""
    digests = [sealed(ledger, draft(value, 'cup'))[0] for value in range(3)]
    ledger.hub('base').set_position(position)
    for place, digest in enumerate(digests, 1):
        ledger.hub('base').acknowledged(digest, place)
    return digests


@pytest.mark.usefixtures('many_packs')
def test_packs_that_a_hub_may_have_lost_are_missing(ledger_of: MakeLedger) -> None:
    ada = ledger_of(1)
    digests = published(ada, position=1)
    assert missing_packs(ada, 'base') == []
    ada.hub('base').forget_messages(1)
    assert missing_packs(ada, 'base') == digests[1:]


@pytest.mark.usefixtures('many_packs')
def test_a_pack_that_was_deleted_from_a_hub_is_missing(ledger_of: MakeLedger) -> None:
    ada = ledger_of(1)
    digests = published(ada, position=3)
    assert missing_packs(ada, 'base') == []
    ada.hub('base').forget_message(2)
    assert missing_packs(ada, 'base') == [digests[1]]


@pytest.mark.usefixtures('many_packs')
def test_a_pack_that_gets_more_bytes_is_missing(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster(EVERYONE))
    digest, message = sealed(ada, draft(1, 'cup'))
    bob.hub('base').set_position(1)
    bob.receive(without_bytes(message), hub='base', sequence=1, received_ms=NOW_MS)
    assert missing_packs(bob, 'base') == []
    bob.receive(message)
    assert missing_packs(bob, 'base') == [digest]


def test_messages_with_the_bytes_of_erased_samples_are_listed(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster(EVERYONE))
    digest, message = sealed(ada, draft(1, 'cup'))
    _, harmless = sealed(ada, draft(2, 'cup'))
    for sequence, each in enumerate((message, harmless, message), 1):
        bob.receive(each, hub='base', sequence=sequence, received_ms=NOW_MS)
    bob.receive(message, hub='other', sequence=1, received_ms=NOW_MS)
    assert bob.hub('base').carriers() == []
    bob.set_roster(roster(EVERYONE, version=2, erased=[1]))
    poor = bob.message(digest)
    bob.receive(message, hub='base', sequence=4, received_ms=NOW_MS)
    # Whether the member knows before it reads a message that it has published this itself.
    bob.receive(poor, hub='base', sequence=5, received_ms=NOW_MS)
    bob.hub('base').acknowledged(digest, 5)
    bob.hub('base').acknowledged(digest, 6)
    bob.receive(poor, hub='base', sequence=6, received_ms=NOW_MS)
    assert bob.hub('base').carriers() == [(1, digest), (3, digest), (4, digest)]
    for sequence in (1, 3, 4):
        bob.hub('base').forget_message(sequence)
    assert (bob.hub('base').carriers(), missing_packs(bob, 'base')) == ([], [])
    # The sample was erased after its bytes were published, before the acknowledgement.
    bob.hub('base').acknowledged(digest, 7)
    bob.receive(message, hub='base', sequence=7, received_ms=NOW_MS)
    bob.receive(message, hub='base', sequence=8, received_ms=NOW_MS)
    bob.hub('base').acknowledged(digest, 8)
    assert bob.hub('base').carriers() == [(7, digest), (8, digest)]
    assert decode(bob.message(digest), SPACE)[1] == {}


def test_a_pack_that_was_never_here_with_bytes_is_no_carrier(ledger_of: MakeLedger) -> None:
    ada, bob = ledger_of(1), ledger_of(2)
    bob.set_roster(roster(EVERYONE, erased=[1]))
    digest, message = sealed(ada, draft(1, 'cup'))
    bob.receive(without_bytes(message), hub='base', sequence=1, received_ms=NOW_MS)
    assert bob.hub('base').carriers() == []
    bob.receive(message, hub='base', sequence=2, received_ms=NOW_MS)
    assert bob.hub('base').carriers() == [(2, digest)]
