# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Summaries of a whole ledger: its quarantine, its frontier, and a dump as text."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from edgetpu_retrain.fleet.ledger.chains import standing
from edgetpu_retrain.fleet.ledger.winners import claim_rows, Judge, resolve_all
from edgetpu_retrain.fleet.roster.roster import Roster


class Quarantined(NamedTuple):
    """
    Packs of one key and one epoch that do not count, all for the same reason.

    Args:
        key: the key that signed them.
        epoch: their epoch.
        outcome: 'waiting', 'quarantined' or 'excluded', see :class:`.chains.Standing`.
        reason: why they do not count.
        packs: how many there are.
    """

    key: str
    epoch: str
    outcome: str
    reason: str
    packs: int


def quarantine(connection: sqlite3.Connection, roster: Roster | None) -> list[Quarantined]:
    """Return how many packs do not count, by key, epoch and reason."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for pack, origin, epoch in connection.execute(
        'SELECT packs.id, origin, epoch FROM packs JOIN chains ON chains.id = packs.chain '
        'WHERE NOT counts'
    ).fetchall():
        group = (origin, epoch, *standing(connection, pack, roster))
        counts[group] = counts.get(group, 0) + 1
    return [Quarantined(*group, packs) for group, packs in sorted(counts.items())]


def frontier(connection: sqlite3.Connection, judge: Judge) -> dict[str, dict[str, list[object]]]:
    """
    Return number and hash of the last pack that counts, by key and epoch, for JSON.

    Keys that may neither teach nor propose are left out.
    """
    result: dict[str, dict[str, list[object]]] = {}
    for origin, epoch, number, digest in connection.execute(
        'SELECT origin, epoch, MAX(number), hash FROM packs '
        'JOIN chains ON chains.id = packs.chain WHERE counts GROUP BY origin, epoch '
        'ORDER BY origin, epoch'
    ):
        if judge.role_of(origin):
            result.setdefault(origin, {})[epoch] = [number, digest.hex()]
    return result


def dump(connection: sqlite3.Connection, judge: Judge, latest: int) -> str:
    """
    Return all packs that count with their claims, and the label of each sample, as text.

    For the same packs, roster and ``latest``, the text is the same on all members.
    """
    lines = []
    for pack, origin, epoch, number, digest in connection.execute(
        'SELECT packs.id, origin, epoch, number, hash FROM packs '
        'JOIN chains ON chains.id = packs.chain WHERE counts ORDER BY origin, epoch, number'
    ).fetchall():
        lines.append(f'pack {origin} {epoch} {number} {digest.hex()}')
        lines.extend(
            f'  {sample.hex()} {label!r} {recording!r} {clock} {erased}'
            for sample, label, recording, clock, erased in connection.execute(
                'SELECT samples.sample, label, recording, clock, claims.erased FROM claims '
                'JOIN samples ON samples.id = claims.sample WHERE pack = ? ORDER BY position',
                (pack,),
            )
        )
    names = dict(connection.execute('SELECT id, sample FROM samples'))
    lines.extend(
        sorted(
            f'label {names[each.sample].hex()} {each.label!r} {each.recording!r} {each.key} '
            f'{each.role}'
            for each in resolve_all(claim_rows(connection, judge, latest=latest), judge)
        )
    )
    return '\n'.join(lines)
