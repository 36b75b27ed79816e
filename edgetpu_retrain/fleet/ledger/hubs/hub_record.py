# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What is stored about the hubs: how far each stream was read, and which packs a hub has."""

from __future__ import annotations

from collections.abc import Collection
import sqlite3
from typing import NamedTuple

from edgetpu_retrain.fleet.ledger.database import FleetDatabase
from edgetpu_retrain.fleet.ledger.hubs.receptions import keep_reception
from edgetpu_retrain.fleet.ledger.samples import pack_row
from edgetpu_retrain.fleet.ledger.tables import ANY_NUMBER

_UNTIL_STEP = 100


class Position(NamedTuple):
    """
    How far a hub's stream was read.

    Args:
        sequence: number of the last message that was read; 0 = none.
        mark: a digest that identifies this message; None = not known.
        reread: number of the first message to be read again; None = there is none.
    """

    sequence: int
    mark: bytes | None = None
    reread: int | None = None


class MissingPack(NamedTuple):
    """
    A pack in the ledger that the hub may lack, or may have with fewer bytes of its samples.

    Args:
        hash: hash of the pack.
        chain: row of its chain.
        is_own: whether this robot has signed it.
    """

    hash: bytes  # noqa: A003
    chain: int
    is_own: bool


class HubRecord:
    """
    What is stored in the ledger about one hub; all methods are thread-safe.

    Args:
        database: the database of the ledger.
        hub: name of the hub.
        me: public key of this robot.

    Raises:
        StoreError: by all methods, if the disk fails; then nothing was changed.
    """

    def __init__(self, database: FleetDatabase, hub: str, me: str) -> None:
        self._database = database
        self._hub = hub
        self._me = me

    @property
    def position(self) -> Position:
        """How far the stream was read; ``Position(0)`` if nothing was read."""
        with self._database.looking('read the position of') as connection:
            row = connection.execute(
                'SELECT sequence, mark, reread FROM hubs WHERE hub = ?', (self._hub,)
            ).fetchone()
            return Position(*row) if row is not None else Position(0)

    def set_position(self, sequence: int, mark: bytes | None = None) -> None:
        """
        Store how far the stream was read; ``reread`` is not changed.

        Args:
            sequence: number of the last message that was read.
            mark: a digest that identifies that message; None = not known.
        """
        with self._database.transaction('write the position of') as connection:
            connection.execute(
                'INSERT INTO hubs (hub, sequence, mark) VALUES (?, ?, ?) ON CONFLICT (hub) '
                'DO UPDATE SET sequence = excluded.sequence, mark = excluded.mark',
                (self._hub, sequence, mark),
            )

    def begin_rereading(self) -> None:
        """Set the position to just before the first message to be read again, if there is one."""
        with self._database.transaction('write the position of') as connection:
            connection.execute(
                'UPDATE hubs SET sequence = reread - 1, mark = NULL, reread = NULL '
                'WHERE hub = ? AND reread IS NOT NULL',
                (self._hub,),
            )

    def forget(self) -> None:
        """Delete all records of the hub, whose stream is to be read from its beginning."""
        with self._database.transaction('forget a hub in') as connection:
            for table in ('hubs', 'hub_messages', 'dropped'):
                statement = f'DELETE FROM {table} WHERE hub = ?'  # noqa: S608
                connection.execute(statement, (self._hub,))

    def acknowledged(self, digest: bytes, sequence: int) -> None:
        """Store that the hub has acknowledged a pack, with the number of the message."""
        with self._database.transaction('note a pack in') as connection:
            row = pack_row(connection, digest)
            if row is not None:
                note(connection, self._hub, sequence, row)

    def missing(self) -> list[MissingPack]:
        """
        Return the packs that the hub is not known to have with all bytes that are here.

        Packs that the roster does not accept are left out, except those of this robot.  The packs
        of a chain are sorted by number.
        """
        with self._database.transaction('read the packs of') as connection:
            found = connection.execute(
                'SELECT until_pack FROM hubs WHERE hub = ?', (self._hub,)
            ).fetchone()
            (until,) = found or (0,)
            rows = connection.execute(
                'SELECT packs.id, hash, chain, origin = ? FROM packs '
                'JOIN chains ON chains.id = packs.chain WHERE packs.id > ? '
                'AND number < CASE origin WHEN ? THEN ? ELSE kept END AND NOT EXISTS '
                '(SELECT 1 FROM hub_messages WHERE pack = packs.id AND hub = ? AND complete) '
                'ORDER BY chain, number',
                (self._me, until, self._me, ANY_NUMBER, self._hub),
            ).fetchall()
            (last,) = connection.execute('SELECT COALESCE(MAX(id), 0) FROM packs').fetchone()
            first_missing = min((pack for pack, *_ in rows), default=last + 1)
            if first_missing - 1 - until >= _UNTIL_STEP:
                # The next call need not check the packs before the first missing one again.
                connection.execute(
                    'UPDATE hubs SET until_pack = ? WHERE hub = ?', (first_missing - 1, self._hub)
                )
        return [MissingPack(digest, chain, bool(is_own)) for _, digest, chain, is_own in rows]

    def carriers(self) -> list[tuple[int, bytes]]:
        """Return sequence and pack hash of the messages that may have bytes of erased samples."""
        with self._database.looking('read the packs of') as connection:
            return connection.execute(
                'SELECT sequence, hash FROM hub_messages JOIN packs ON packs.id = pack '
                'WHERE hub = ? AND erased ORDER BY sequence',
                (self._hub,),
            ).fetchall()

    def has_without_erased(self, digest: bytes) -> bool:
        """Return whether the hub is known to have a pack, without bytes of erased samples."""
        with self._database.looking('read the packs of') as connection:
            rows = connection.execute(
                'SELECT 1 FROM hub_messages JOIN packs ON packs.id = pack '
                'WHERE hash = ? AND hub = ? AND complete AND NOT erased',
                (digest, self._hub),
            )
            return rows.fetchone() is not None

    def keep_reception(self, sequence: int) -> bool:
        """Store when the hub received a message; return False if the message is not recorded."""
        with self._database.transaction('note a pack in') as connection:
            return keep_reception(connection, self._hub, sequence)

    def forget_messages(self, after: int) -> None:
        """Delete the records of the messages after a sequence number, which will be read again."""
        with self._database.transaction('forget messages in') as connection:
            cursor = connection.execute(
                'DELETE FROM hub_messages WHERE hub = ? AND sequence > ?', (self._hub, after)
            )
            if cursor.rowcount:
                look_at_all_packs(connection)

    def forget_message(self, sequence: int) -> None:
        """Delete the record of a message that the hub deleted; its pack may now be missing."""
        with self._database.transaction('forget a message in') as connection:
            connection.execute(
                'DELETE FROM hub_messages WHERE hub = ? AND sequence = ?', (self._hub, sequence)
            )
            look_at_all_packs(connection)


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
    Record that a hub has a pack.

    Args:
        connection: the connection of a transaction.
        hub: name of the hub.
        sequence: number of the message in the hub's stream.
        pack: row of the pack.
        received_ms: when the hub received the message, milliseconds since 1970; 0 = not known,
            because the message was only acknowledged.
        payloads: ids of the samples whose bytes the message has, if it was read.
        complete: whether the message is known to have all bytes of the pack that are here.
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
    """Return whether a hub is known to have a pack with all of its bytes that are here."""
    row = connection.execute(
        'SELECT 1 FROM hub_messages WHERE pack = ? AND hub = ? AND complete', (pack, hub)
    ).fetchone()
    return row is not None


def note_new_bytes(connection: sqlite3.Connection, pack: int) -> None:
    """Mark a pack as incomplete in all hubs, because more of its bytes have just been stored."""
    connection.execute('UPDATE hub_messages SET complete = 0 WHERE pack = ?', (pack,))
    look_at_all_packs(connection)


def note_erasure(connection: sqlite3.Connection, sample: int) -> None:
    """Mark the messages that may have the bytes of a sample, so that a station replaces them."""
    connection.execute(
        'UPDATE hub_messages SET erased = 1 WHERE pack IN '
        '(SELECT pack FROM claims WHERE sample = ? AND brought)',
        (sample,),
    )


def has_message(connection: sqlite3.Connection, hub: str, sequence: int, pack: int) -> bool:
    """Return whether a message of a hub was read, and not only acknowledged."""
    row = connection.execute(
        'SELECT 1 FROM hub_messages WHERE hub = ? AND sequence = ? AND pack = ? '
        'AND received_ms > 0',
        (hub, sequence, pack),
    ).fetchone()
    return row is not None


def num_unpublished(connection: sqlite3.Connection, origin: str) -> int:
    """Return the number of claims of a key in packs that no hub is known to have."""
    (count,) = connection.execute(
        'SELECT COALESCE(SUM(next_sequence - first_sequence), 0) FROM packs '
        'JOIN chains ON chains.id = packs.chain WHERE origin = ? AND NOT EXISTS '
        '(SELECT 1 FROM hub_messages WHERE pack = packs.id AND complete)',
        (origin,),
    ).fetchone()
    return int(count)


def look_at_all_packs(connection: sqlite3.Connection) -> None:
    """Make :meth:`HubRecord.missing` check all packs again, also those that hubs had before."""
    connection.execute('UPDATE hubs SET until_pack = 0')
