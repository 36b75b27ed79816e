# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""HubRecord: how far the stream of a hub was read, and which packs it lacks."""

from __future__ import annotations

from typing import NamedTuple

from edgetpu_retrain.fleet.ledger.database import FleetDatabase
from edgetpu_retrain.fleet.ledger.hubs import look_at_all_packs, note
from edgetpu_retrain.fleet.ledger.samples import pack_row
from edgetpu_retrain.fleet.ledger.tables import ANY_NUMBER

_UNTIL_STEP = 100


class Position(NamedTuple):
    """
    How far a hub's stream was read.

    Args:
        sequence: number of the last message that was read; 0 = none.
        mark: a digest that identifies this message; None = not known.
        reread: number of the first message to be read again; None = no message.
    """

    sequence: int
    mark: bytes | None = None
    reread: int | None = None


class MissingPack(NamedTuple):
    """
    A pack that is here and that a hub is not known to have.

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
    What the ledger knows of one hub; all methods are thread-safe.

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
        """How far the stream was read."""
        with self._database.looking('read the position of') as connection:
            row = connection.execute(
                'SELECT sequence, mark, reread FROM hubs WHERE hub = ?', (self._hub,)
            ).fetchone()
            return Position(*row) if row is not None else Position(0)

    def set_position(self, sequence: int, mark: bytes | None = None) -> None:
        """
        Remember how far the stream was read; ``reread`` stays as it is.

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
        """Set the position back to the first message to be read again, if there is one."""
        with self._database.transaction('write the position of') as connection:
            connection.execute(
                'UPDATE hubs SET sequence = reread - 1, mark = NULL, reread = NULL '
                'WHERE hub = ? AND reread IS NOT NULL',
                (self._hub,),
            )

    def forget(self) -> None:
        """Forget everything about the hub, because its stream was replaced."""
        with self._database.transaction('forget a hub in') as connection:
            for table in ('hubs', 'hub_messages', 'dropped'):
                connection.execute(f'DELETE FROM {table} WHERE hub = ?', (self._hub,))  # noqa: S608

    def acknowledged(self, digest: bytes, sequence: int) -> None:
        """Remember that the hub has acknowledged a pack, and its number in the stream."""
        with self._database.transaction('note a pack in') as connection:
            row = pack_row(connection, digest)
            if row is not None:
                note(connection, self._hub, sequence, row)

    def missing(self) -> list[MissingPack]:
        """
        Return the packs that are here and that the hub is not known to have.

        Packs that the roster does not accept are left out, except those of this robot.  The packs
        of a chain are in its order.
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
                # So that the next call need not check all packs again.
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

    def forget_messages(self, after: int) -> None:
        """Forget the messages after a sequence, because they are to be read again."""
        with self._database.transaction('forget messages in') as connection:
            cursor = connection.execute(
                'DELETE FROM hub_messages WHERE hub = ? AND sequence > ?', (self._hub, after)
            )
            if cursor.rowcount:
                look_at_all_packs(connection)

    def forget_message(self, sequence: int) -> None:
        """Forget a message that was deleted from the hub, so that its pack is published again."""
        with self._database.transaction('forget a message in') as connection:
            connection.execute(
                'DELETE FROM hub_messages WHERE hub = ? AND sequence = ?', (self._hub, sequence)
            )
            look_at_all_packs(connection)
