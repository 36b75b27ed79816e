# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Erases samples from a hub: each pack that has their bytes is replaced with one without them."""

from __future__ import annotations

import asyncio
import hashlib

from edgetpu_retrain.errors import HubFullError
from edgetpu_retrain.fleet.evidence.pack import peek
from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.streams import EVIDENCE, evidence_subject
from edgetpu_retrain.fleet.ledger.ledger import Ledger


async def erase_from_hub(hub: Hub, ledger: Ledger) -> int:
    """
    Replace the packs of a hub that contain bytes of erased samples.

    The pack without these bytes is published before the old message is deleted, so that the pack
    is never missing, unless the hub could not store it.  The hub overwrites the deleted message on
    its disk.

    Args:
        hub: a connection with the station's key.
        ledger: the station's ledger, into which the hub's stream has been read.

    Returns:
        Number of messages that were deleted.

    Raises:
        HubError: if the connection is lost, or the hub does not respond.
        StoreError: if the ledger cannot be used.
    """
    record = ledger.hub(hub.url)
    carriers = await asyncio.to_thread(record.carriers)
    for sequence, digest in carriers:
        message = await asyncio.to_thread(ledger.message, digest)
        message_id = hashlib.sha256(message).hexdigest()
        try:
            subject = evidence_subject(ledger.space.token, peek(message).origin, hub.key)
            stored = await hub.publish(subject, message, message_id)
        except HubFullError:
            stored = None
        # If the hub stored nothing, because it is full or has a message with this id already, the
        # synchronization publishes the pack after the deletion.
        await hub.api(f'STREAM.MSG.DELETE.{EVIDENCE}', {'seq': sequence, 'no_erase': False})
        await asyncio.to_thread(record.forget_message, sequence)
        if stored is not None:
            await asyncio.to_thread(record.acknowledged, digest, stored)
    return len(carriers)
