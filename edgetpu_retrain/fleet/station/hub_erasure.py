# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Erases samples from a hub: each pack that has their bytes is replaced with one without them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import NamedTuple

from edgetpu_retrain.errors import HubError, HubFullError, HubLostError
from edgetpu_retrain.fleet.evidence.pack import peek
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.message_deletion import delete_message
from edgetpu_retrain.fleet.hub.streams import EVIDENCE, evidence_subject
from edgetpu_retrain.fleet.ledger.hubs.hub_record import HubRecord
from edgetpu_retrain.fleet.ledger.ledger import Ledger


class Erasure(NamedTuple):
    """
    What :func:`erase_from_hub` did.

    Args:
        deleted: number of messages that are no longer in the stream.
        problem: why another message could not be replaced, a sentence; '' = all were.
    """

    deleted: int
    problem: str


async def erase_from_hub(hub: Hub, ledger: Ledger) -> Erasure:
    """
    Replace the packs of a hub that contain bytes of erased samples.

    The pack without these bytes is published before the old message is deleted, so that the pack
    is never missing, unless the hub could not store it.  The hub overwrites the deleted message on
    its disk.  If one message cannot be replaced, the others are, and the next call tries again.

    Args:
        hub: a connection with the station's key.
        ledger: the station's ledger, into which the hub's stream has been read.

    Raises:
        HubLostError: if the connection is lost.
        StoreError: if the ledger cannot be used.
    """
    record = ledger.hub(hub.url)
    deleted, problem = 0, ''
    for sequence, digest in await asyncio.to_thread(record.carriers):
        try:
            await _publish_without_erased(hub, ledger, record, digest)
            if not await asyncio.to_thread(record.keep_reception, sequence):
                continue
            await delete_message(hub, EVIDENCE, sequence, overwrite=True)
        except HubLostError:
            raise
        except HubError as error:
            problem = problem or str(error)
            continue
        await asyncio.to_thread(record.forget_message, sequence)
        deleted += 1
    return Erasure(deleted, problem)


async def _publish_without_erased(
    hub: Hub, ledger: Ledger, record: HubRecord, digest: bytes
) -> None:
    """Publish a pack without the bytes of erased samples, unless the hub has that already."""
    if await asyncio.to_thread(record.has_without_erased, digest):
        return
    message = await asyncio.to_thread(ledger.message, digest)
    subject = evidence_subject(ledger.space.token, peek(message).origin, hub.key)
    try:
        stored = await hub.publish(subject, message, hashlib.sha256(message).hexdigest())
    except HubFullError:
        stored = None
    # If the hub stored nothing, because it is full or has a message with this id already, the
    # synchronization publishes the pack after the deletion.
    if stored is not None:
        await asyncio.to_thread(record.acknowledged, digest, stored)
