# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""This robot's own claims: stored at once, sealed into packs when a hub is connected."""

from __future__ import annotations

from collections.abc import Iterable
import secrets
import sqlite3
from typing import NamedTuple

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.claim import check_claim_label, check_claim_recording, Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.hybrid_clock import HybridClock
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.manifest import EPOCH_DIGITS
from edgetpu_retrain.fleet.evidence.pack import (
    check_payload,
    MAX_CLAIMS,
    NO_PACK,
    num_fitting,
    Pack,
    Payload,
    seal,
)
from edgetpu_retrain.fleet.ledger.erasure import is_marked, settle
from edgetpu_retrain.fleet.ledger.samples import sample_row
from edgetpu_retrain.fleet.ledger.tables import ANY_NUMBER
from edgetpu_retrain.fleet.ledger.winners import Judge


class Draft(NamedTuple):
    """
    A claim of this robot that is not sealed yet.

    Args:
        sample: the sample's id in the fleet.
        label: the sample's label; '' = a tombstone, which withdraws this robot's earlier claims.
        recording: name of the sample's recording; '' for a tombstone, or if the sample is of
            another robot.
        payload: bytes of the sample; None = no bytes are sent with the claim.
        erased: whether the sample's bytes are to be deleted everywhere; only for a tombstone.
    """

    sample: bytes
    label: str
    recording: str
    payload: Payload | None = None
    erased: bool = False


def check_draft(draft: Draft, space: EmbeddingSpace) -> None:
    """Raise PackError if a claim is not valid; such a claim could not be sealed later."""
    check_claim_label(draft.label)
    check_claim_recording(draft.recording)
    if draft.erased and draft.label:
        raise PackError('bad claim', 'a claim erases a sample that it labels')
    if draft.payload is not None:
        check_payload(draft.sample, draft.payload, space)


def store_drafts(
    connection: sqlite3.Connection, drafts: Iterable[Draft], clock: HybridClock, judge: Judge
) -> bool:
    """
    Store claims of this robot, to be sealed later.

    Args:
        connection: the connection of a transaction.
        drafts: the claims.
        clock: the clock of this robot.
        judge: decides which claims count.

    Returns:
        Whether bytes were erased.
    """
    has_erased = False
    for draft in drafts:
        row = sample_row(connection, draft.sample, draft.payload)
        connection.execute(
            'INSERT INTO drafts (sample, label, recording, clock, erased, brought) '
            'VALUES (?, ?, ?, ?, ?, ?)',
            (
                row,
                draft.label,
                draft.recording,
                clock.next(),
                draft.erased,
                bool(draft.label) and draft.payload is not None,
            ),
        )
        if draft.erased or is_marked(connection, row):
            has_erased |= settle(connection, [row], judge)
            sample_row(connection, draft.sample, draft.payload)
    return has_erased


def seal_next(
    connection: sqlite3.Connection, key: Key, space: EmbeddingSpace, max_bytes: int
) -> tuple[Pack, dict[bytes, Payload]] | None:
    """
    Seal the oldest drafts, as many as fit in a pack, and delete these drafts.

    Args:
        connection: the connection of a transaction.
        key: the key of this robot.
        space: the space of its samples.
        max_bytes: the maximum length of a message.

    Returns:
        The pack, which the caller stores in the same transaction, and the bytes of its samples;
        None if there are no drafts.

    Raises:
        PackError: if a single claim with its bytes is too large.
    """
    rows = connection.execute(
        'SELECT drafts.id, samples.sample, label, recording, clock, drafts.erased, brought, '
        'embedding, jpeg FROM drafts JOIN samples ON samples.id = drafts.sample '
        'ORDER BY drafts.id LIMIT ?',
        (MAX_CLAIMS,),
    ).fetchall()
    if not rows:
        return None
    epoch, number, previous, sequence = _end_of_chain(connection, key.public)
    claims = [
        Claim(sample, label, recording, clock, sequence + place, bool(erased))
        for place, (_, sample, label, recording, clock, erased, *_) in enumerate(rows)
    ]
    payloads = {
        sample: Payload(embedding, jpeg)
        for _, sample, *_, brought, embedding, jpeg in rows
        if brought and embedding is not None
    }
    count = num_fitting(claims, payloads, max_bytes)
    if not count:
        raise PackError('too large', f'a sample does not fit in a message of {max_bytes} bytes')
    claims = claims[:count]
    labelled = {claim.sample for claim in claims if claim.label}
    payloads = {sample: payloads[sample] for sample in payloads.keys() & labelled}
    pack = seal(key, epoch, number, previous, space, claims, payloads)
    connection.execute('DELETE FROM drafts WHERE id <= ?', (rows[count - 1][0],))
    return pack, payloads


def num_unsealed(connection: sqlite3.Connection) -> int:
    """Return the number of drafts."""
    (count,) = connection.execute('SELECT COUNT(*) FROM drafts').fetchone()
    return int(count)


def own_claims(connection: sqlite3.Connection, me: str) -> dict[bytes, Claim]:
    """Return the claim of this robot about each sample; see :meth:`Ledger.own_claims`."""
    # Later rows replace earlier ones.  Claims made here come last, in the order in which they were
    # made: the order of their clocks may differ, because the time of day can be set back.
    rows = connection.execute(
        'SELECT samples.sample, label, recording, clock, place, claimed.erased FROM ('
        'SELECT claims.sample AS row, sealed_here AS made_here, sealed_here * packs.id AS turn, '
        'label, recording, clock, first_sequence + position AS place, claims.erased, epoch '
        'FROM claims JOIN packs ON packs.id = pack JOIN chains ON chains.id = chain '
        'WHERE origin = ? AND number < linked '
        "UNION ALL SELECT sample, 1, ?, label, recording, clock, id, erased, '' FROM drafts"
        ') AS claimed JOIN samples ON samples.id = row '
        'ORDER BY made_here, turn, made_here * place, clock, epoch, place',
        (me, ANY_NUMBER),
    )
    return {
        sample: Claim(sample, label, recording, clock, place, bool(erased))
        for sample, label, recording, clock, place, erased in rows
    }


def own_epoch(connection: sqlite3.Connection, me: str) -> str:
    """Return the epoch in which this robot seals its claims; '' = it has sealed none."""
    row = connection.execute('SELECT value FROM facts WHERE name = ?', (_fact(me),)).fetchone()
    return row[0].decode() if row is not None else ''


def begin_epoch(connection: sqlite3.Connection, me: str) -> str:
    """Begin and return a new epoch, in which this robot seals its claims from now on."""
    epoch = secrets.token_hex(EPOCH_DIGITS // 2)
    connection.execute(
        'INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', (_fact(me), epoch.encode())
    )
    return epoch


def _fact(me: str) -> str:
    return f'epoch {me}'


def _end_of_chain(connection: sqlite3.Connection, me: str) -> tuple[str, int, bytes, int]:
    """
    Return epoch, number, previous hash and first sequence number for the next own pack.

    If the epoch has packs that were not sealed here, this database was restored from an earlier
    copy, or copied to another robot.  Then a new epoch begins, because a pack with the next number
    of the old epoch may exist already.
    """
    epoch = own_epoch(connection, me) or begin_epoch(connection, me)
    packs, foreign = connection.execute(
        'SELECT COUNT(*), SUM(NOT sealed_here) FROM packs '
        'JOIN chains ON chains.id = packs.chain WHERE origin = ? AND epoch = ?',
        (me, epoch),
    ).fetchone()
    if foreign:
        return begin_epoch(connection, me), 0, NO_PACK, 0
    if not packs:
        return epoch, 0, NO_PACK, 0
    digest, sequence = connection.execute(
        'SELECT hash, next_sequence FROM packs JOIN chains ON chains.id = packs.chain '
        'WHERE origin = ? AND epoch = ? AND number = ?',
        (me, epoch, packs - 1),
    ).fetchone()
    return epoch, packs, digest, sequence
