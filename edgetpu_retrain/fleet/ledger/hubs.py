# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What is noted about the hubs as packs are stored and samples erased."""

from __future__ import annotations

from collections.abc import Collection
import sqlite3


def note(
    connection: sqlite3.Connection,
    hub: str,
    sequence: int,
    pack: int,
    *,
    received_ms: int = 0,
    payloads: Collection[bytes] = (),
    complete: bool = True,
) -> None:
    """
    Remember that a hub has a pack.

    Args:
        connection: the connection of a transaction.
        hub: the hub.
        sequence: number of the message in its stream.
        pack: row of the pack.
        received_ms: when the hub received it; 0 = not known.
        payloads: ids of the samples whose bytes the message has, if it was read.
        complete: whether the message has all bytes of the pack that are here.
    """
    has_erased = any(sample in payloads for sample in erased_samples(connection, pack))
    connection.execute(
        'INSERT INTO hub_messages VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (hub, sequence) '
        'DO UPDATE SET received_ms = MAX(received_ms, excluded.received_ms), '
        'complete = MAX(complete, excluded.complete), '
        # An acknowledgement has no time, and does not say which bytes the message has.
        'erased = CASE excluded.received_ms WHEN 0 THEN erased ELSE excluded.erased END',
        (hub, sequence, pack, received_ms, complete, has_erased),
    )


def erased_samples(connection: sqlite3.Connection, pack: int) -> list[bytes]:
    """Return the ids of the erased samples whose bytes came with a pack."""
    rows = connection.execute(
        'SELECT samples.sample FROM claims JOIN samples ON samples.id = claims.sample '
        'WHERE pack = ? AND brought AND samples.erased',
        (pack,),
    )
    return [sample for (sample,) in rows]


def has(connection: sqlite3.Connection, hub: str, pack: int) -> bool:
    """Return whether a hub has a pack with all of its bytes that are here."""
    row = connection.execute(
        'SELECT 1 FROM hub_messages WHERE pack = ? AND hub = ? AND complete', (pack, hub)
    ).fetchone()
    return row is not None


def note_new_bytes(connection: sqlite3.Connection, pack: int) -> None:
    """Mark a pack as incomplete in all hubs, because more of its bytes have just been stored."""
    connection.execute('UPDATE hub_messages SET complete = 0 WHERE pack = ?', (pack,))
    look_at_all_packs(connection)


def note_erasure(connection: sqlite3.Connection, sample: int) -> None:
    """Mark the messages that may have the bytes of a sample, given by its row, for deletion."""
    connection.execute(
        'UPDATE hub_messages SET erased = 1 WHERE pack IN '
        '(SELECT pack FROM claims WHERE sample = ? AND brought)',
        (sample,),
    )


def read_bytes_again(connection: sqlite3.Connection, sample: int) -> None:
    """Request rereading of the packs with a sample that is no longer to be erased."""
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


def has_message(connection: sqlite3.Connection, hub: str, sequence: int, pack: int) -> bool:
    """Return whether a message of a hub was received, and not only acknowledged."""
    row = connection.execute(
        'SELECT 1 FROM hub_messages WHERE hub = ? AND sequence = ? AND pack = ? '
        'AND received_ms > 0',
        (hub, sequence, pack),
    ).fetchone()
    return row is not None


def note_dropped(connection: sqlite3.Connection, hub: str, origin: str, sequence: int) -> None:
    """Remember that a pack in a hub was not stored here, because too many wait."""
    connection.execute('INSERT OR IGNORE INTO hubs (hub) VALUES (?)', (hub,))
    connection.execute(
        'INSERT INTO dropped VALUES (?, ?, ?) ON CONFLICT (hub, origin) '
        'DO UPDATE SET sequence = MIN(sequence, excluded.sequence)',
        (hub, origin, sequence),
    )


def read_again(connection: sqlite3.Connection, origin: str | None = None) -> None:
    """Request rereading of the dropped packs of a key, or of all keys, as there is room now."""
    dropped = connection.execute(
        'SELECT hub, origin, sequence FROM dropped WHERE origin = COALESCE(?, origin)', (origin,)
    ).fetchall()
    for hub, key, sequence in dropped:
        _read_from(connection, hub, sequence)
        connection.execute('DELETE FROM dropped WHERE hub = ? AND origin = ?', (hub, key))


def _read_from(connection: sqlite3.Connection, hub: str, sequence: int) -> None:
    connection.execute(
        'UPDATE hubs SET reread = MIN(COALESCE(reread, ?), ?) WHERE hub = ?',
        (sequence, sequence, hub),
    )


def num_unpublished(connection: sqlite3.Connection, origin: str) -> int:
    """Return the number of claims in the packs of a key that no hub is known to have."""
    (count,) = connection.execute(
        'SELECT COALESCE(SUM(next_sequence - first_sequence), 0) FROM packs '
        'JOIN chains ON chains.id = packs.chain WHERE origin = ? AND NOT EXISTS '
        '(SELECT 1 FROM hub_messages WHERE pack = packs.id AND complete)',
        (origin,),
    ).fetchone()
    return int(count)


def look_at_all_packs(connection: sqlite3.Connection) -> None:
    """Let ``HubRecord.missing`` check all packs again: earlier ones may be missing now."""
    connection.execute('UPDATE hubs SET until_pack = 0')
