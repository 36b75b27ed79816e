# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The packs of one key on a hub, and when the hub received them.

Whether a pack counts after a revocation depends on when the hub received it, not on the time in
the pack, which the author chooses.  The roster then names the last packs that count, by number and
hash, because sequence numbers differ between hubs and change when a hub is restored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.manifest import NO_PACK
from edgetpu_retrain.fleet.evidence.pack import Header, peek, read_header
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.stream_reader import open_reader
from edgetpu_retrain.fleet.hub.streams import EVIDENCE, STREAMS


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


def heads(
    packs: Iterable[ReceivedPack], counts: Callable[[ReceivedPack], bool] = lambda _: True
) -> dict[str, tuple[int, bytes]]:
    """
    Return, for each epoch of a key, the last pack that still counts.

    The packs of an epoch are a chain, which ends before the first pack that does not count.  At a
    fork, the chain follows the pack that the hub received first.

    Args:
        packs: the packs of one key, in the order of their reception.
        counts: returns whether a pack counts.

    Returns:
        Number and hash of the pack, by epoch; an epoch of which no pack counts is omitted.
    """
    chains: dict[str, dict[tuple[int, bytes], Header]] = {}
    for pack in packs:
        if counts(pack):
            header = pack.header
            place = header.number, header.previous
            chains.setdefault(header.epoch, {}).setdefault(place, header)
    last = {}
    for epoch, chain in chains.items():
        number, head = 0, NO_PACK
        while (number, head) in chain:
            head = chain[number, head].hash
            number += 1
        if number:
            last[epoch] = (number - 1, head)
    return last
