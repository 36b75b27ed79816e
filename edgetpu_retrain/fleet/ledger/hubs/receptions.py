# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
When the station's hub received the packs that it has replaced since, to erase samples.

Whether a pack counts after a revocation depends on when the hub received it.  A pack that is
replaced in the stream gets a new number and time there, so the station keeps the old ones.
"""

from __future__ import annotations

import sqlite3
import struct
from typing import NamedTuple

from edgetpu_retrain.fleet.ledger.database import FleetDatabase

_NAME = 'received '
# Sequence first and big-endian: SQLite compares the values byte by byte.
_VALUE = struct.Struct('>QQ')


class Reception(NamedTuple):
    """
    When a hub received a message.

    Args:
        sequence: number of the message in the hub's stream.
        received_ms: time, milliseconds since 1970.
    """

    sequence: int
    received_ms: int


def keep_reception(connection: sqlite3.Connection, hub: str, sequence: int) -> bool:
    """
    Store when a hub received the pack in a message, unless an earlier reception is stored.

    Returns:
        Whether the message is recorded.
    """
    row = connection.execute(
        'SELECT hash, received_ms FROM hub_messages JOIN packs ON packs.id = pack '
        'WHERE hub = ? AND sequence = ?',
        (hub, sequence),
    ).fetchone()
    if row is None:
        return False
    digest, received_ms = row
    if received_ms:  # Otherwise, the station has published the message but not read it yet.
        connection.execute(
            'INSERT INTO facts (name, value) VALUES (?, ?) '
            'ON CONFLICT (name) DO UPDATE SET value = MIN(value, excluded.value)',
            (_NAME + digest.hex(), _VALUE.pack(sequence, received_ms)),
        )
    return True


def first_receptions(database: FleetDatabase) -> dict[bytes, Reception]:
    """Return the first reception of each pack of which one is stored, by the hash of the pack."""
    with database.reading('read the packs of') as connection:
        rows = connection.execute(
            'SELECT substr(name, ?), value FROM facts WHERE substr(name, 1, ?) = ?',
            (len(_NAME) + 1, len(_NAME), _NAME),
        ).fetchall()
    return {bytes.fromhex(digest): Reception(*_VALUE.unpack(value)) for digest, value in rows}
