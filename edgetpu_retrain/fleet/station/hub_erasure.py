# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Erases samples from the hub: replaces packs that have their bytes by the same packs without."""

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
    Replace the packs of a hub that have bytes of erased samples.

    The pack without these bytes is published before the other one is deleted, so that it is never
    missing, except on a full hub.  The hub overwrites what it deletes.

    Args:
        hub: a connection with the station's key.
        ledger: the station's ledger, which has read the hub.

    Returns:
        How many packs were replaced.

    Raises:
        HubError: if the hub was lost, or does not respond.
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
            stored = None  # Deleting makes room; synchronization then publishes the missing pack.
        await hub.api(f'STREAM.MSG.DELETE.{EVIDENCE}', {'seq': sequence, 'no_erase': False})
        await asyncio.to_thread(record.forget_message, sequence)
        if stored is not None:
            await asyncio.to_thread(record.acknowledged, digest, stored)
    return len(carriers)
