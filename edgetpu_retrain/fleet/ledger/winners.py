# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Decides which of the labels claimed for a sample it gets, the same on every robot.

The latest claim of each key is its opinion; a key whose latest claim is a tombstone has none.  Of
the opinions, one of a key that may teach wins over one of a key that may only propose; then the
latest wins; then the one whose key is greater as text.
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
    """A claim of a pack that counts; :meth:`Judge.allows` decides whether the claim counts."""

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
    """The label that a sample gets, and the claim that decides it."""

    sample: int
    """Row of the sample."""
    label: str
    recording: str
    """The recording of the sample, 'KEY/NAME'."""
    key: str
    """The key whose claim wins."""
    role: str
    """The role of that key: 'teach' or 'propose'."""
    clock: int
    labels: dict[str, str]
    """The label that each key claims, by key."""


class Judge(NamedTuple):
    """
    Who is believed.

    Args:
        roster: the newest roster; None = nobody but ``me`` is believed.
        me: a key that counts as one that may propose, if the roster gives it no role; '' = none.
    """

    roster: Roster | None
    me: str

    @property
    def unlisted(self) -> str:
        """The key ``me`` if the roster does not decide on its packs, which then count; else ''."""
        member = self.roster.member(self.me) if self.roster is not None else None
        is_listed = member is not None and (
            member.keep is not None or self.role_in_roster(self.me)
        )
        return '' if is_listed else self.me

    def opinions(self, rows: Iterable[ClaimRow]) -> dict[str, ClaimRow]:
        """Return the latest claim of each key that counts; rows as from :func:`claim_rows`."""
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
        """Return the label that a sample gets; None if no key claims one."""
        opinions = [row for row in self.opinions(rows).values() if row.label]
        if not opinions:
            return None
        winner = max(
            opinions, key=lambda row: (self.role_of(row.key) == 'teach', row.clock, row.key)
        )
        # A teacher's claim about the sample of another robot has no recording.
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
    """Return the greatest clock that a claim may have at a time, milliseconds since 1970."""
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
    Yield the claims in packs that count, grouped by sample and key, each key's latest claim last.

    Args:
        connection: a connection.
        judge: who is believed.  Unsealed claims of its own key are included.
        latest: the greatest clock of a claim that counts.
        samples: SQL that selects rows of samples; '' = all.
        parameters: the parameters of this SQL.
    """
    condition = f'AND sample IN ({samples})' if samples else ''
    # Unsealed claims have '~' for an epoch, which sorts after all hexadecimal digits.
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
    """Yield the label of each sample that has one; rows as from :func:`claim_rows`."""
    for _, group in groupby(rows, key=lambda row: row.sample):
        resolved = judge.resolve(list(group))
        if resolved is not None:
            yield resolved
