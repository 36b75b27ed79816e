# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Which label a sample has, of all that was claimed about it: the same on every robot.

The latest claim of each key is its opinion; a tombstone takes it back.  Of the others, one of a
key that may teach wins over one of a key that may only propose; then the latest; then the key
that is greater as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
import sqlite3
from typing import NamedTuple

from edgetpu_retrain.fleet.evidence.hybrid_clock import MAX_AHEAD_MS, MAX_CLOCK
from edgetpu_retrain.fleet.roster.roster import Roster

_COUNTER_BITS = 16


class ClaimRow(NamedTuple):
    """A claim that counts unless the roster does not allow its label."""

    sample: int
    """Row of the sample."""
    key: str
    clock: int
    epoch: str
    number: int
    position: int
    label: str
    recording: str
    erased: int


class Resolved(NamedTuple):
    """What a sample is taken for."""

    sample: int
    """Row of the sample."""
    label: str
    recording: str
    """Name of its recording, with the key that has made it."""
    key: str
    """The key whose claim wins."""
    role: str
    """Its role: 'teach' or 'propose'."""
    clock: int
    labels: dict[str, str]
    """The label that each key claims."""


class Judge(NamedTuple):
    """
    Who is believed.

    Args:
        roster: the newest roster; None = nobody is.
        me: a key that is believed as if it could propose at least; '' = none.
    """

    roster: Roster | None
    me: str

    @property
    def unlisted(self) -> str:
        """The key ``me`` if the roster says nothing about its packs, which count here then."""
        member = self.roster.member(self.me) if self.roster is not None else None
        is_listed = member is not None and (
            member.keep is not None or self.role_in_roster(self.me)
        )
        return '' if is_listed else self.me

    def opinions(self, rows: Iterable[ClaimRow]) -> dict[str, ClaimRow]:
        """Return the latest claim of each key, of rows in the order of :func:`claim_rows`."""
        return {row.key: row for row in rows if self.allows(row)}

    def allows(self, row: ClaimRow) -> bool:
        """Return whether a claim counts."""
        if row.key == self.me:
            return True
        return self.roster is not None and self.roster.allows(row.key, row.label, row.clock)

    def role_of(self, key: str) -> str:
        """Return the role of a key."""
        return self.role_in_roster(key) or ('propose' if key == self.me else '')

    def role_in_roster(self, key: str) -> str:
        """Return the role that the roster gives a key."""
        return self.roster.role_of(key) if self.roster is not None else ''

    def resolve(self, rows: list[ClaimRow]) -> Resolved | None:
        """Return what a sample is taken for; None if nobody claims it any more."""
        opinions = [row for row in self.opinions(rows).values() if row.label]
        if not opinions:
            return None
        winner = max(
            opinions, key=lambda row: (self.role_of(row.key) == 'teach', row.clock, row.key)
        )
        # A teacher that labels the sample of another robot does not know its recording.
        source = winner
        if not winner.recording:
            named = (row for row in rows if row.recording and self.allows(row))
            source = min(named, key=lambda row: (row.clock, row.key), default=winner)
        return Resolved(
            winner.sample,
            winner.label,
            f'{source.key}/{source.recording}',
            winner.key,
            self.role_of(winner.key),
            winner.clock,
            {row.key: row.label for row in opinions},
        )


def latest_clock(now_ms: int) -> int:
    """Return the greatest clock of a claim that counts at a time, milliseconds since 1970."""
    return min(((now_ms + MAX_AHEAD_MS + 1) << _COUNTER_BITS) - 1, MAX_CLOCK)


def claim_rows(
    connection: sqlite3.Connection,
    judge: Judge,
    *,
    latest: int = MAX_CLOCK,
    samples: str = '',
    parameters: tuple[object, ...] = (),
) -> Iterator[ClaimRow]:
    """
    Yield the claims in packs that count, by sample and key, the latest claim of a key last.

    Args:
        connection: a connection.
        judge: who is believed.  Its own key's claims are included if they are not sealed yet.
        latest: the greatest clock of a claim.
        samples: SQL that selects rows of samples; '' = all.
        parameters: its parameters.
    """
    condition = f'AND sample IN ({samples})' if samples else ''
    # An epoch is hexadecimal, so what is not sealed yet comes after it.
    rows = connection.execute(
        'SELECT sample, origin, clock, epoch, number, position, '  # noqa: S608
        'label, recording, erased FROM claims JOIN packs ON packs.id = claims.pack '
        'JOIN chains ON chains.id = packs.chain '
        f'WHERE (counts OR (origin = ? AND number < linked)) AND clock <= ? {condition} '
        "UNION ALL SELECT sample, ?, clock, '~', id, 0, label, recording, erased "
        f"FROM drafts WHERE ? != '' AND clock <= ? {condition} ORDER BY 1, 2, 3, 4, 5, 6",
        (judge.unlisted, latest, *parameters, judge.me, judge.me, latest, *parameters),
    )
    return map(ClaimRow._make, rows)


def resolve_all(rows: Iterable[ClaimRow], judge: Judge) -> Iterator[Resolved]:
    """Yield what each sample is taken for, of rows in the order of :func:`claim_rows`."""
    for _, group in groupby(rows, key=lambda row: row.sample):
        resolved = judge.resolve(list(group))
        if resolved is not None:
            yield resolved
