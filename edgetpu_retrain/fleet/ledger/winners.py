# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Decides the label of a sample from the claims about it, in the same way on every robot.

Of the claims of a key that count, the latest is the key's opinion.  Opinions that are tombstones
are ignored.  An opinion of a key that may teach wins over one of a key that may only propose.
Among opinions of equal rank, the latest wins; of equally late ones, that of the key that is
greater as text.
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
    """A claim from :func:`claim_rows`; :meth:`Judge.allows` decides whether the claim counts."""

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
    """The label of a sample, and the claim that decides the label."""

    sample: int
    """Row of the sample."""
    label: str
    recording: str
    """
    The recording of the sample, as 'KEY/NAME'.

    KEY claims the recording NAME.  If no key claims one, KEY is the one whose claim wins, and NAME
    is ''.
    """
    key: str
    """The key whose claim wins."""
    role: str
    """The role of that key: 'teach' or 'propose'."""
    clock: int
    labels: dict[str, str]
    """The label that each key claims, by key, without tombstones."""


class Judge(NamedTuple):
    """
    Decides which claims count.

    Args:
        roster: the newest roster; None = only claims of ``me`` count.
        me: public key of this robot, whose claims need no role in the roster; without a role, they
            are proposals.  '' = only claims that the roster permits count.
    """

    roster: Roster | None
    me: str

    @property
    def unlisted(self) -> str:
        """
        The key ``me`` if the roster does not mention it or only lets it read or release; else ''.

        For this robot, the packs of this key count until a gap or fork, although the roster does
        not accept them.  A key that was revoked or retired is not returned.
        """
        member = self.roster.member(self.me) if self.roster is not None else None
        is_listed = member is not None and (
            member.keep is not None or self.role_in_roster(self.me)
        )
        return '' if is_listed else self.me

    def opinions(self, rows: Iterable[ClaimRow]) -> dict[str, ClaimRow]:
        """Return, by key, the latest claim that counts; rows are as from :func:`claim_rows`."""
        return {row.key: row for row in rows if self.allows(row)}

    def allows(self, row: ClaimRow) -> bool:
        """Return whether a claim counts."""
        if row.key == self.me:
            return True
        return self.roster is not None and self.roster.allows(row.key, row.label, row.clock)

    def role_of(self, key: str) -> str:
        """Return the role of a key: 'teach', 'propose', or '' = its claims do not count."""
        return self.role_in_roster(key) or ('propose' if key == self.me else '')

    def role_in_roster(self, key: str) -> str:
        """Return the role of a key in the roster: 'teach', 'propose', or '' = neither."""
        return self.roster.role_of(key) if self.roster is not None else ''

    def resolve(self, rows: list[ClaimRow]) -> Resolved | None:
        """Return the label of a sample from all claims about it; None if no key claims a label."""
        opinions = [row for row in self.opinions(rows).values() if row.label]
        if not opinions:
            return None
        winner = max(
            opinions, key=lambda row: (self.role_of(row.key) == 'teach', row.clock, row.key)
        )
        # A teacher's claim about the sample of another robot has no recording.  Use the recording
        # of the earliest claim that has one.
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
    """Return the greatest clock that counts, given the time of day in milliseconds since 1970."""
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
        judge: adds the own claims that count only for this robot: unsealed claims, and packs of
            ``judge.unlisted``.  The claims are not filtered with :meth:`Judge.allows`.
        latest: the greatest clock of a claim that counts.
        samples: SQL between the parentheses of ``sample IN (...)``; '' = all samples.
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
    """Yield the label of each sample that has one; rows are as from :func:`claim_rows`."""
    for _, group in groupby(rows, key=lambda row: row.sample):
        resolved = judge.resolve(list(group))
        if resolved is not None:
            yield resolved
