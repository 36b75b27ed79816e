# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Decides from the stored packs and the roster which packs count; the order of arrival is irrelevant.

The packs of a key in an epoch form a chain: they are numbered from 0, and each contains the hash
of the previous one.  If the roster lets the key propose or teach, its packs count up to the first
gap or fork.  A gap is a pack that is missing or does not continue the pack before it.  A fork is
two packs with the same number; a copied disk or a stolen key causes it.
For a key that was revoked or retired, the roster names the last pack that counts in each epoch:
only this pack and its ancestors count, even if there is a fork.
"""

from __future__ import annotations

from collections.abc import Iterator
import sqlite3
from typing import NamedTuple

from edgetpu_retrain.fleet.evidence.manifest import NO_PACK
from edgetpu_retrain.fleet.evidence.pack import Pack
from edgetpu_retrain.fleet.ledger.tables import ANY_NUMBER
from edgetpu_retrain.fleet.roster.roster import Roster

Ends = tuple[bytes, int]
"""What the next pack of a chain must have: hash of the previous pack, first sequence number."""

_START: Ends = (NO_PACK, 0)


class Standing(NamedTuple):
    """
    Whether a pack counts.

    Args:
        outcome: 'accepted', 'waiting' (for an earlier pack or for a roster that accepts this one),
            'quarantined', or 'excluded' (the key was revoked or retired, and the pack is not among
            those that the roster keeps).
        reason: why the pack does not count; '' = it counts.
    """

    outcome: str
    reason: str


def chain_of(
    connection: sqlite3.Connection, origin: str, epoch: str, roster: Roster | None
) -> int:
    """Return the row of a chain, which is created if it is not there yet."""
    found = connection.execute(
        'SELECT id FROM chains WHERE origin = ? AND epoch = ?', (origin, epoch)
    ).fetchone()
    if found is not None:
        return int(found[0])
    cursor = connection.execute(
        'INSERT INTO chains (origin, epoch, kept) VALUES (?, ?, ?)',
        (origin, epoch, _kept(roster, origin, epoch)),
    )
    return int(cursor.lastrowid or 0)


def link(connection: sqlite3.Connection, chain: int, pack: Pack, roster: Roster | None) -> bool:
    """
    Update a chain after a pack was stored.

    Returns:
        Whether the chain now has more packs before its first gap or fork.
    """
    before, forked = connection.execute(
        'SELECT linked, forked FROM chains WHERE id = ?', (chain,)
    ).fetchone()
    (same,) = connection.execute(
        'SELECT COUNT(*) FROM packs WHERE chain = ? AND number = ?', (chain, pack.number)
    ).fetchone()
    if same > 1 and (forked is None or pack.number < forked):
        forked = pack.number
    linked = _linked(connection, chain, before, forked)
    connection.execute(
        'UPDATE chains SET linked = ?, forked = ? WHERE id = ?', (linked, forked, chain)
    )
    _count(connection, chain, roster, min(before, linked, pack.number))
    return bool(linked > before)


def apply_roster(connection: sqlite3.Connection, roster: Roster) -> None:
    """Update all chains after a new roster was stored."""
    for chain, origin, epoch in connection.execute(
        'SELECT id, origin, epoch FROM chains'
    ).fetchall():
        kept = _kept(roster, origin, epoch)
        connection.execute('UPDATE chains SET kept = ? WHERE id = ?', (kept, chain))
        _count(connection, chain, roster, 0)


def is_kept(
    connection: sqlite3.Connection, chain: int, pack: bytes, roster: Roster | None
) -> bool:
    """
    Return whether a pack, given by its hash, is kept by a roster that excludes others of its key.

    It is kept if the roster names it as the last one that counts, or if it is an ancestor of the
    named pack.  An ancestor is recognized only if all packs in between are stored.
    """
    head = _kept_head(connection, chain, roster)
    return head is not None and any(each == pack for each, *_ in _path(connection, chain, head))


def standing(connection: sqlite3.Connection, pack: int, roster: Roster | None) -> Standing:
    """Return whether a pack, given by its row, counts with the stored roster."""
    counts, number, chain, origin, linked, forked, kept = connection.execute(
        'SELECT counts, number, chain, origin, linked, forked, kept '
        'FROM packs JOIN chains ON chains.id = packs.chain WHERE packs.id = ?',
        (pack,),
    ).fetchone()
    if counts:
        return Standing('accepted', '')
    member = roster.member(origin) if roster is not None else None
    names_heads = member is not None and member.keep is not None
    if not kept:
        outcome = 'excluded' if names_heads else 'waiting'
        return Standing(outcome, 'the roster accepts no packs of its key and epoch')
    if number >= kept:
        return Standing('excluded', f'the roster accepts only the packs before {kept} of its key')
    if names_heads and _has_counting(connection, chain):
        return Standing('excluded', f'the roster accepts another pack {number} of its key')
    if names_heads:
        words = f'the roster accepts the packs before {kept} of its key, but some are missing'
        return Standing('waiting', words)
    if forked is not None and number >= forked:
        return Standing('quarantined', f'two packs of its key have the number {forked}')
    next_ones = connection.execute(
        'SELECT 1 FROM packs WHERE number = ? AND chain = ?', (linked, chain)
    ).fetchone()
    if next_ones is not None:
        return Standing('quarantined', f'pack {linked} of its key does not continue its chain')
    return Standing('waiting', f'pack {linked} of its key is missing')


def _has_counting(connection: sqlite3.Connection, chain: int) -> bool:
    found = connection.execute(
        'SELECT EXISTS (SELECT 1 FROM packs WHERE chain = ? AND counts)', (chain,)
    ).fetchone()
    return bool(found[0])


def _linked(connection: sqlite3.Connection, chain: int, linked: int, forked: int | None) -> int:
    """Return how many packs the chain has before its first gap or fork."""
    if forked is not None and forked <= linked:
        return forked
    ends = _ends(connection, chain, linked - 1) if linked else _START
    rows = connection.execute(
        'SELECT number, hash, previous, first_sequence, next_sequence FROM packs '
        'WHERE chain = ? AND number >= ? ORDER BY number',
        (chain, linked),
    )
    for number, digest, *continued, next_sequence in rows:
        if number != linked or number == forked or tuple(continued) != ends:
            break
        linked, ends = linked + 1, (digest, next_sequence)
    return linked


def _ends(connection: sqlite3.Connection, chain: int, number: int) -> Ends:
    digest, sequence = connection.execute(
        'SELECT hash, next_sequence FROM packs WHERE chain = ? AND number = ?', (chain, number)
    ).fetchone()
    return digest, sequence


def _kept(roster: Roster | None, origin: str, epoch: str) -> int:
    """Return the maximum number of packs of a chain that the roster accepts."""
    member = roster.member(origin) if roster is not None else None
    if member is not None and member.keep is not None:
        return member.keep[epoch][0] + 1 if epoch in member.keep else 0
    return ANY_NUMBER if roster is not None and roster.role_of(origin) else 0


def _count(connection: sqlite3.Connection, chain: int, roster: Roster | None, first: int) -> None:
    """Update which packs of a chain count, at least for the packs from number ``first`` on."""
    linked, kept = connection.execute(
        'SELECT linked, kept FROM chains WHERE id = ?', (chain,)
    ).fetchone()
    connection.execute(
        'UPDATE packs SET counts = number < ? WHERE chain = ? AND number >= ?',
        (min(linked, kept), chain, first),
    )
    head = _kept_head(connection, chain, roster)
    if head is None:
        return
    ancestors = _ancestors(connection, chain, head)
    connection.execute('UPDATE packs SET counts = 0 WHERE chain = ?', (chain,))
    connection.executemany('UPDATE packs SET counts = 1 WHERE id = ?', ancestors)


def _kept_head(connection: sqlite3.Connection, chain: int, roster: Roster | None) -> bytes | None:
    """Return the hash of the last pack of a chain that counts; None = the roster names none."""
    origin, epoch = connection.execute(
        'SELECT origin, epoch FROM chains WHERE id = ?', (chain,)
    ).fetchone()
    member = roster.member(origin) if roster is not None else None
    if member is None or member.keep is None or epoch not in member.keep:
        return None
    return member.keep[epoch][1]


def _path(
    connection: sqlite3.Connection, chain: int, head: bytes
) -> Iterator[tuple[bytes, int, bytes, int, int]]:
    """
    Yield a pack, given by its hash, and its ancestors up to the first one that is missing.

    Each is a tuple of hash, row, hash of the previous pack, first and next sequence number.
    """
    wanted = head
    while wanted != NO_PACK:
        row = connection.execute(
            'SELECT id, previous, first_sequence, next_sequence FROM packs '
            'WHERE hash = ? AND chain = ?',
            (wanted, chain),
        ).fetchone()
        if row is None:
            return
        yield (wanted, *row)
        wanted = row[1]


def _ancestors(connection: sqlite3.Connection, chain: int, head: bytes) -> list[tuple[int]]:
    """
    Return the rows of a pack, given by its hash, and of all its ancestors.

    Returns:
        An empty list if one of these packs is missing, or its sequence numbers do not continue
        those of the pack before it.
    """
    found: list[tuple[int]] = []
    earlier, after = head, None
    for _, row, previous, sequence, next_sequence in _path(connection, chain, head):
        if after not in (None, next_sequence):
            return []
        found.append((row,))
        earlier, after = previous, sequence
    return found if earlier == NO_PACK and after == 0 else []
