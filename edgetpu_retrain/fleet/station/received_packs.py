# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The packs of one key on a hub, and when the hub received them.

Whether a pack counts after a revocation depends on when the hub received it, not on the time in
the pack, which the author chooses.  The roster then names the last packs that count, by number and
hash, because sequence numbers differ between hubs and change when a hub is restored.

If a pack counts, so do its ancestors, even if the hub received them later: each pack contains the
hash of the one before, so they were signed earlier.  The hub receives a pack later than its
descendants if the pack was published again, because the hub had lost it, or to erase samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.manifest import NO_PACK
from edgetpu_retrain.fleet.evidence.pack import Header, peek, read_header
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.stream_reader import open_reader
from edgetpu_retrain.fleet.hub.streams import EVIDENCE, STREAMS
from edgetpu_retrain.fleet.ledger.hubs.receptions import Reception


@dataclass(frozen=True)
class ReceivedPack:
    """
    A pack in the stream of a hub.

    Args:
        header: the header of the pack.
        sequence: sequence number of the pack in the stream of the hub.
        received_ms: when the hub received the pack, milliseconds since 1970.
    """

    header: Header
    sequence: int
    received_ms: int


async def read_packs(hub: Hub, key: str) -> list[ReceivedPack]:
    """
    Return the packs of a key, of any extractor, in the order in which the hub received them.

    Args:
        hub: a connection with the station's key.
        key: the public key that signed the packs.

    Raises:
        HubError: if the connection is lost, or the hub does not respond.
    """
    reader = await open_reader(hub, EVIDENCE, STREAMS[EVIDENCE].subjects, 1)
    packs = []
    async for message in reader.read_present():
        # Skip invalid messages, which robots reject.
        with suppress(PackError):
            if peek(message.data).origin == key:
                header = read_header(message.data)
                packs.append(ReceivedPack(header, message.sequence, message.received_ms))
    return packs


def as_first_received(
    packs: Iterable[ReceivedPack], first: Mapping[bytes, Reception]
) -> list[ReceivedPack]:
    """
    Return packs with the number and time of their first reception, in the order of the numbers.

    Args:
        packs: packs in the stream of a hub.
        first: by hash, the first receptions of packs that the station has replaced there.
    """
    found = []
    for pack in packs:
        earlier = first.get(pack.header.hash)
        if earlier is not None:
            sequence = min(pack.sequence, earlier.sequence)
            pack = ReceivedPack(pack.header, sequence, min(pack.received_ms, earlier.received_ms))
        found.append(pack)
    return sorted(found, key=lambda pack: pack.sequence)


def heads(
    packs: Iterable[ReceivedPack], counts: Callable[[ReceivedPack], bool] = lambda _: True
) -> dict[str, tuple[int, bytes]]:
    """
    Return, for each epoch of a key, the last pack that still counts.

    The packs of an epoch are a chain.  A pack counts if ``counts`` returns True for it or for a
    later one of its chain.  At a fork, the chain follows the branch from which the hub received a
    pack first.

    Args:
        packs: the packs of one key, in the order of their reception.
        counts: returns whether a pack was received in time.

    Returns:
        Number and hash of the pack, by epoch; an epoch of which no pack counts is omitted.
    """
    packs = list(packs)
    chained = _chained({pack.header.hash: pack.header for pack in packs})
    # Place in the order of reception of the first message that proves a pack: of the pack itself
    # or of a descendant.
    proof: dict[bytes, int] = {}
    for place, pack in enumerate(packs):
        if pack.header.hash in chained and counts(pack):
            proof.setdefault(pack.header.hash, place)
    for header in reversed(chained.values()):
        if header.hash in proof and header.number:
            place = proof[header.hash]
            proof[header.previous] = min(place, proof.get(header.previous, place))
    following: dict[tuple[str, bytes], Header] = {}
    for digest in sorted(proof, key=proof.__getitem__):
        header = chained[digest]
        following.setdefault((header.epoch, header.previous), header)
    last = {}
    for epoch in {header.epoch for header in following.values()}:
        head = NO_PACK
        while (epoch, head) in following:
            number, head = following[epoch, head].number, following[epoch, head].hash
            last[epoch] = (number, head)
    return last


def _chained(headers: Mapping[bytes, Header]) -> dict[bytes, Header]:
    """Return, in order, the packs that continue a chain whose earlier packs are all there."""
    chained: dict[bytes, Header] = {}
    for header in sorted(headers.values(), key=lambda each: each.number):
        before = chained.get(header.previous)
        if before is None:
            follows = (header.number, header.previous, header.first_sequence) == (0, NO_PACK, 0)
        else:
            follows = (header.epoch, header.number, header.first_sequence) == (
                before.epoch,
                before.number + 1,
                before.next_sequence,
            )
        if follows:
            chained[header.hash] = header
    return chained
