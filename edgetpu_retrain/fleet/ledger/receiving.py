# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stores packs: received ones, and own ones as they are sealed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import sqlite3
from typing import NamedTuple

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.pack import Pack, Payload
from edgetpu_retrain.fleet.ledger.chains import chain_of, is_kept, link, Standing, standing
from edgetpu_retrain.fleet.ledger.erasure import settle
from edgetpu_retrain.fleet.ledger.hubs.hub_record import note_new_bytes
from edgetpu_retrain.fleet.ledger.hubs.rereading import read_again
from edgetpu_retrain.fleet.ledger.samples import message_of, pack_row, sample_row
from edgetpu_retrain.fleet.ledger.winners import Judge

MAX_WAITING_PACKS = 1000
"""
The maximum number of packs of one key that are stored but do not count.

All packs in chains that the roster does not accept share one such limit.  Not limited are this
robot's own packs, packs before the first gap or fork of a chain, a pack that shows a fork, and
packs that the roster names as the last ones to count, with their ancestors.
"""

MAX_WAITING_BYTES = 64 << 20
"""The maximum total length of the packs that :data:`MAX_WAITING_PACKS` limits, bytes."""


class Receipt(NamedTuple):
    """
    What became of a message.

    Args:
        outcome: 'accepted', 'known' (stored already), 'waiting' (for an earlier pack or for a
            roster that accepts this one), 'quarantined', 'excluded' (by the roster) or 'refused'
            (not stored).
        reason: why the pack was not accepted; '' if it was accepted or known.
        hash: hash of the pack; empty if the message is not a pack.
    """

    outcome: str
    reason: str
    hash: bytes  # noqa: A003


class Storing:
    """
    Stores packs in one transaction.

    Args:
        connection: the connection of the transaction.
        judge: decides which claims count.
    """

    def __init__(self, connection: sqlite3.Connection, judge: Judge) -> None:
        self.connection = connection
        self._judge = judge
        self.has_erased = False
        """Whether bytes were deleted."""

    def receive(self, pack: Pack, payloads: Mapping[bytes, Payload], num_bytes: int) -> Receipt:
        """
        Store a pack, or add bytes of its samples that are missing here.

        The arguments are those of :meth:`store`, except that the pack may already be stored.

        Raises:
            PackError: if the pack would be too large for a message with the added bytes.
        """
        known = pack_row(self.connection, pack.hash)
        if known is not None:
            self._fill(known, pack, payloads)
            return Receipt('known', '', pack.hash)
        result = self.store(pack, payloads, num_bytes)
        if result is None:
            return Receipt('refused', 'too many packs of its key wait', pack.hash)
        return Receipt(*result, pack.hash)

    def store(
        self,
        pack: Pack,
        payloads: Mapping[bytes, Payload],
        num_bytes: int,
        *,
        sealed_here: bool = False,
    ) -> Standing | None:
        """
        Store a new pack.

        Args:
            pack: a pack that is not stored yet, with a valid signature.
            payloads: the bytes of its samples.
            num_bytes: approximate length of its message, bytes.
            sealed_here: whether this robot has just signed it.

        Returns:
            Whether the pack counts; None = it was not stored, because of a limit on waiting packs.
        """
        connection, roster, me = self.connection, self._judge.roster, self._judge.me
        connection.execute('SAVEPOINT pack')
        chain = chain_of(connection, pack.origin, pack.epoch, roster)
        row = self._store_pack(chain, pack, payloads, num_bytes, sealed_here)
        advances = link(connection, chain, pack, roster)
        result = standing(connection, row, roster)
        # All own packs are stored, because they show which pack numbers are in use.
        kept = result.outcome != 'accepted' and is_kept(connection, chain, pack.hash, roster)
        is_limited = result.outcome != 'accepted' and pack.origin != me and not kept
        if is_limited and _is_full(connection, chain, pack.number):
            connection.execute('ROLLBACK TO pack')
            connection.execute('RELEASE pack')
            return None
        connection.execute('RELEASE pack')
        self._store_claims(row, pack, payloads)
        if advances:
            self._settle_later_ones(chain, pack.number)
        # Dropped ancestors of a kept pack can be recognized now that this pack is stored.
        if advances or kept:
            read_again(connection, pack.origin)
        return result

    def _fill(self, row: int, pack: Pack, payloads: Mapping[bytes, Payload]) -> None:
        """
        Add bytes of samples that did not come with earlier messages of a pack.

        Raises:
            PackError: if the pack would be too large for a message; then nothing is added.
        """
        before = message_of(self.connection, row)
        self.connection.execute('SAVEPOINT bytes')
        try:
            for sample, payload in payloads.items():
                self.connection.execute(
                    'UPDATE claims SET brought = 1 '
                    "WHERE pack = ? AND sample = ? AND label != '' AND NOT brought",
                    (row, sample_row(self.connection, sample, payload)),
                )
            if message_of(self.connection, row) != before:
                note_new_bytes(self.connection, row)
            if is_whole(pack, payloads):
                self.connection.execute('UPDATE packs SET whole = 1 WHERE id = ?', (row,))
        except PackError:
            self.connection.execute('ROLLBACK TO bytes')
            raise
        finally:
            self.connection.execute('RELEASE bytes')

    def _store_pack(
        self,
        chain: int,
        pack: Pack,
        payloads: Mapping[bytes, Payload],
        num_bytes: int,
        sealed_here: bool,
    ) -> int:
        cursor = self.connection.execute(
            'INSERT INTO packs (hash, chain, number, previous, first_sequence, next_sequence, '
            'bytes, sealed_here, whole, signature, manifest) '
            'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
            (
                pack.hash,
                chain,
                pack.number,
                pack.previous,
                pack.claims[0].sequence,
                pack.claims[-1].sequence + 1,
                num_bytes,
                sealed_here,
                is_whole(pack, payloads),
                pack.signature,
                pack.manifest,
            ),
        )
        return int(cursor.lastrowid or 0)

    def _store_claims(self, row: int, pack: Pack, payloads: Mapping[bytes, Payload]) -> None:
        roster = self._judge.roster
        erased = {claim.sample for claim in pack.claims if claim.erased}
        if roster is not None and roster.erased:
            erased.update(claim.sample for claim in pack.claims if claim.sample in roster.erased)
        # Bytes that may have to be erased are not written until that is decided, below.
        rows = {
            claim.sample: sample_row(
                self.connection,
                claim.sample,
                None if claim.sample in erased else payloads.get(claim.sample),
            )
            for claim in pack.claims
        }
        self.connection.executemany(
            'INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
            [
                (
                    row,
                    position,
                    rows[claim.sample],
                    claim.label,
                    claim.recording,
                    claim.clock,
                    claim.erased,
                    bool(claim.label) and claim.sample in payloads,
                )
                for position, claim in enumerate(pack.claims)
            ],
        )
        before = self.connection.execute(
            'SELECT sample FROM samples WHERE erased AND id IN '
            '(SELECT sample FROM claims WHERE pack = ?)',
            (row,),
        )
        erased.update(sample for (sample,) in before)
        if erased:
            self._settle(rows[sample] for sample in erased)
            for sample in erased & payloads.keys():
                sample_row(self.connection, sample, payloads[sample])

    def _settle_later_ones(self, chain: int, number: int) -> None:
        """Apply the erasures in later packs of a chain, which may count now."""
        rows = self.connection.execute(
            'SELECT DISTINCT sample FROM packs JOIN claims ON claims.pack = packs.id '
            'WHERE chain = ? AND number > ? AND claims.erased',
            (chain, number),
        ).fetchall()
        self._settle(row for (row,) in rows)

    def _settle(self, rows: Iterable[int]) -> None:
        self.has_erased |= settle(self.connection, rows, self._judge)


def is_whole(pack: Pack, payloads: Mapping[bytes, Payload]) -> bool:
    """Return whether a pack has come with the bytes of all samples that it labels."""
    return all(
        claim.sample in payloads
        and (claim.sample not in pack.pictures or payloads[claim.sample].jpeg is not None)
        for claim in pack.claims
        if claim.label
    )


def _is_full(connection: sqlite3.Connection, chain: int, number: int) -> bool:
    """Return whether too many packs wait, including the pack that was just stored."""
    origin, kept, is_linked, is_fork = connection.execute(
        'SELECT origin, kept, ? < MIN(linked, kept), forked = ? AND 2 = '
        '(SELECT COUNT(*) FROM packs WHERE chain = chains.id AND number = forked) '
        'FROM chains WHERE id = ?',
        (number, number, chain),
    ).fetchone()
    # A fork must be stored, so that the packs from it on do not count.
    if is_linked or is_fork:
        return False
    select = (
        'SELECT COUNT(*), COALESCE(SUM(bytes), 0) '
        'FROM packs JOIN chains ON chains.id = packs.chain'
    )
    if kept:
        found = connection.execute(
            f'{select} WHERE origin = ? AND number >= MIN(linked, kept) AND NOT counts', (origin,)
        )
    else:
        found = connection.execute(f'{select} WHERE kept = 0')
    packs, num_bytes = found.fetchone()
    return bool(packs > MAX_WAITING_PACKS or num_bytes > MAX_WAITING_BYTES)
