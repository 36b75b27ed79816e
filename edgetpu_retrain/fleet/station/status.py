# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""FleetStatus: the state of a fleet for its operator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
import time
from typing import Any

from edgetpu_retrain.fleet.hub.connection import Hub
from edgetpu_retrain.fleet.hub.reports import read_reports, Report, SeenReport
from edgetpu_retrain.fleet.hub.streams import EVIDENCE
from edgetpu_retrain.fleet.roster.roster import Member, Roster

SILENT_MS = 60_000
"""A member that may connect is 'away' if it has not reported for this long, milliseconds."""

CLOCK_MS = 60_000
"""A member's clock that differs from the hub's by more than this is a problem, milliseconds."""

ALMOST_FULL = 0.9


@dataclass(frozen=True)
class HubFill:
    """
    How full the stream of packs is at a hub.

    Args:
        messages: number of packs in the stream.
        num_bytes: size of the stream, bytes.
        max_bytes: maximum size of the stream, bytes.
        last_sequence: sequence number of the last pack.
    """

    messages: int
    num_bytes: int
    max_bytes: int
    last_sequence: int

    @property
    def share(self) -> float:
        """Share of the maximum size that is used, 0 to 1."""
        return self.num_bytes / self.max_bytes if self.max_bytes > 0 else 0.0


@dataclass(frozen=True)
class MemberStatus:
    """
    What is known of a member.

    Args:
        member: the member's entry in the roster.
        received_ms: when the hub received the last report of the member, or another message in its
            place, milliseconds since 1970; None = never.
        report: the last report that is valid, which means that it can be read and that the member
            has signed it; None = the hub has none.
    """

    member: Member
    received_ms: int | None
    report: Report | None


@dataclass(frozen=True)
class FleetStatus:
    """
    A fleet as its hub sees it.

    Args:
        roster: the newest roster of the station.
        url: address of the hub.
        now_ms: when the status was read, milliseconds since 1970.
        fill: how full the hub is.
        members: all members of the roster.
    """

    roster: Roster
    url: str
    now_ms: int
    fill: HubFill
    members: tuple[MemberStatus, ...]

    def state(self, each: MemberStatus) -> str:
        """
        Return 'here', 'away', 'never seen', 'unreadable', 'expired' or 'removed'.

        'here': the hub received a report of the member within the last minute.  'removed': the
        member was revoked or retired.  'unreadable': the hub has messages in place of the member's
        reports, but no valid report; only the member's next report shows whether the member is
        here.
        """
        member = each.member
        if not member.may_connect:
            return 'removed'
        if member.expires_ms is not None and member.expires_ms < self.now_ms:
            return 'expired'
        if each.received_ms is None:
            return 'never seen'
        if each.report is None:
            return 'unreadable'
        return 'here' if self.now_ms - each.received_ms < SILENT_MS else 'away'

    def problems(self) -> list[str]:
        """Return the problems of the hub and the members, a sentence each, for the operator."""
        found = []
        if self.fill.share > ALMOST_FULL:
            found.append(
                f'the hub is {100 * self.fill.share:.0f} % full: free disk space there, and raise '
                'its limit (fleet serve --limit)'
            )
        for each in self.members:
            report, name, state = each.report, each.member.name, self.state(each)
            if state == 'unreadable':
                found.append(
                    f'{name}: its last report was replaced by what it did not sign, or is of '
                    'another release of edgetpu_retrain; it reports every 10 s while it is here'
                )
            if report is None or state != 'here':
                continue
            ahead_ms = report.stamp_ms - (each.received_ms or 0)
            if abs(ahead_ms) > CLOCK_MS:
                how = 'ahead' if ahead_ms > 0 else 'behind'
                found.append(f'{name}: its clock is {abs(ahead_ms) // 1000} s {how}: set it')
            found.extend(f'{name}: {problem}' for problem in report.problems)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the status as values for JSON."""
        return {
            'fleet': self.roster.fleet,
            'roster': self.roster.version,
            'url': self.url,
            'now_ms': self.now_ms,
            'hub': asdict(self.fill) | {'share': self.fill.share},
            'erased': len(self.roster.erased),
            'problems': self.problems(),
            'members': [
                {
                    'name': each.member.name,
                    'key': each.member.key,
                    'roles': sorted(each.member.roles),
                    'labels': list(each.member.labels),
                    'expires_ms': each.member.expires_ms,
                    'state': self.state(each),
                    'received_ms': each.received_ms,
                    'report': None if each.report is None else report_fields(each.report),
                }
                for each in self.members
            ],
        }


async def read_status(hub: Hub, roster: Roster) -> FleetStatus:
    """
    Return the state of a fleet.

    Args:
        hub: a connection with the station's key.
        roster: the station's roster.

    Raises:
        HubError: if the connection is lost, or the hub does not respond.
    """
    information = await hub.api(f'STREAM.INFO.{EVIDENCE}', {})
    state, configuration = information['state'], information['config']
    fill = HubFill(
        state['messages'], state['bytes'], configuration['max_bytes'], state['last_seq']
    )
    members = joined(roster.members, await read_reports(hub))
    return FleetStatus(roster, hub.url, time.time_ns() // 1_000_000, fill, members)


def joined(members: Iterable[Member], reports: Iterable[SeenReport]) -> tuple[MemberStatus, ...]:
    """Return the members with their reports, sorted by name, those that may connect first."""
    by_key = {each.key: each for each in reports}
    found = []
    for member in sorted(members, key=lambda each: (not each.may_connect, each.name, each.key)):
        seen = by_key.get(member.key)
        received_ms, report = (None, None) if seen is None else (seen.received_ms, seen.report)
        found.append(MemberStatus(member, received_ms, report))
    return tuple(found)


def report_fields(report: Report) -> dict[str, Any]:
    """Return the fields of a report, as values for JSON."""
    return {field.name: getattr(report, field.name) for field in fields(report)}
