# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From which message on, and why, the stream of a hub is to be read again."""

from __future__ import annotations

import sqlite3


def note_dropped(connection: sqlite3.Connection, hub: str, origin: str, sequence: int) -> None:
    """Record that a pack in a hub was not stored here, because too many packs wait."""
    connection.execute('INSERT OR IGNORE INTO hubs (hub) VALUES (?)', (hub,))
    connection.execute(
        'INSERT INTO dropped VALUES (?, ?, ?) ON CONFLICT (hub, origin) '
        'DO UPDATE SET sequence = MIN(sequence, excluded.sequence)',
        (hub, origin, sequence),
    )


def read_again(connection: sqlite3.Connection, origin: str | None = None) -> None:
    """Request that the dropped packs of a key, or of all keys, are read again."""
    dropped = connection.execute(
        'SELECT hub, origin, sequence FROM dropped WHERE origin = COALESCE(?, origin)', (origin,)
    ).fetchall()
    for hub, key, sequence in dropped:
        _read_from(connection, hub, sequence)
        connection.execute('DELETE FROM dropped WHERE hub = ? AND origin = ?', (hub, key))


def read_bytes_again(connection: sqlite3.Connection, sample: int) -> None:
    """Request that the packs with a sample that is no longer to be erased are read again."""
    connection.execute(
        'UPDATE packs SET whole = 0 '
        'WHERE id IN (SELECT pack FROM claims WHERE sample = ? AND brought)',
        (sample,),
    )
    messages = connection.execute(
        'SELECT hub, MIN(sequence) FROM hub_messages '
        'WHERE pack IN (SELECT pack FROM claims WHERE sample = ? AND brought) GROUP BY hub',
        (sample,),
    ).fetchall()
    for hub, sequence in messages:
        _read_from(connection, hub, sequence)


def _read_from(connection: sqlite3.Connection, hub: str, sequence: int) -> None:
    connection.execute(
        'UPDATE hubs SET reread = MIN(COALESCE(reread, ?), ?) WHERE hub = ?',
        (sequence, sequence, hub),
    )
