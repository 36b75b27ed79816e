# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Erases samples: their bytes are deleted, their claims stay.

A sample is erased if the roster says so.  It is erased as well if all keys that claim it as their
own, with a recording, have taken that back, and one of them has asked for erasure.  So nobody can
erase the sample of another robot, and a teacher who only labels a sample does not keep it.
"""

from __future__ import annotations

from collections.abc import Iterable
import sqlite3

from edgetpu_retrain.fleet.ledger.hubs import note_erasure, read_bytes_again
from edgetpu_retrain.fleet.ledger.winners import claim_rows, Judge


def settle(connection: sqlite3.Connection, rows: Iterable[int], judge: Judge) -> bool:
    """
    Erase samples that are to be erased, and mark them, so that their bytes are not stored again.

    Args:
        connection: the connection of a transaction.
        rows: the rows of the samples that may have to be erased.
        judge: who is believed.

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
    """Return whether a sample was erased."""
    (erased,) = connection.execute('SELECT erased FROM samples WHERE id = ?', (row,)).fetchone()
    return bool(erased)


def all_suspects(connection: sqlite3.Connection, judge: Judge) -> list[int]:
    """Return the rows of all samples that may have to be erased, or that were."""
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
