# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Erases samples: their bytes are deleted, their claims stay.

A sample is erased if the roster lists it as erased, or if the latest claims of all its owners are
tombstones and at least one of these requests erasure.  The owners of a sample are the keys that
have claimed the sample with a recording.  So no robot can erase the sample of another, and a
teacher who only labels a sample does not prevent its erasure.
"""

from __future__ import annotations

from collections.abc import Iterable
import sqlite3

from edgetpu_retrain.fleet.ledger.hubs.hub_record import note_erasure
from edgetpu_retrain.fleet.ledger.hubs.rereading import read_bytes_again
from edgetpu_retrain.fleet.ledger.winners import claim_rows, Judge


def settle(connection: sqlite3.Connection, rows: Iterable[int], judge: Judge) -> bool:
    """
    Erase the samples that are to be erased, and mark them so that no bytes are stored again.

    A sample that is no longer to be erased loses its mark, and its packs are read again.

    Args:
        connection: the connection of a transaction.
        rows: the rows of the samples to check.
        judge: decides which claims count.

    Returns:
        Whether bytes were deleted.
    """
    changed = False
    for row in rows:
        erased = _is_erased(connection, row, judge)
        if erased:
            cursor = connection.execute(
                'UPDATE samples SET embedding = NULL, jpeg = NULL '
                'WHERE id = ? AND (embedding IS NOT NULL OR jpeg IS NOT NULL)',
                (row,),
            )
            changed |= cursor.rowcount > 0
            note_erasure(connection, row)
        elif is_marked(connection, row):
            read_bytes_again(connection, row)
        connection.execute('UPDATE samples SET erased = ? WHERE id = ?', (erased, row))
    return changed


def is_marked(connection: sqlite3.Connection, row: int) -> bool:
    """Return whether a sample is marked as erased."""
    (erased,) = connection.execute('SELECT erased FROM samples WHERE id = ?', (row,)).fetchone()
    return bool(erased)


def all_suspects(connection: sqlite3.Connection, judge: Judge) -> list[int]:
    """Return the rows of all samples that are marked as erased, or may have to be erased."""
    rows = connection.execute(
        'SELECT id FROM samples WHERE erased UNION SELECT sample FROM claims WHERE erased '
        'UNION SELECT sample FROM drafts WHERE erased'
    ).fetchall()
    found = {row for (row,) in rows}
    for sample in judge.roster.erased if judge.roster is not None else ():
        found.update(
            row
            for (row,) in connection.execute('SELECT id FROM samples WHERE sample = ?', (sample,))
        )
    return sorted(found)


def _is_erased(connection: sqlite3.Connection, row: int, judge: Judge) -> bool:
    (sample,) = connection.execute('SELECT sample FROM samples WHERE id = ?', (row,)).fetchone()
    if judge.roster is not None and sample in judge.roster.erased:
        return True
    claims = list(claim_rows(connection, judge, samples='?', parameters=(row,)))
    opinions = judge.opinions(claims)
    owners = {claim.key for claim in claims if claim.recording and judge.allows(claim)}
    latest = [opinions[key] for key in owners]
    return not any(claim.label for claim in latest) and any(claim.erased for claim in latest)
