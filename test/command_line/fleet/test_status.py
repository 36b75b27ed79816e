# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The status as a terminal shows it."""

from __future__ import annotations

import re

from edgetpu_retrain.command_line.fleet.status import drawing
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.station.status import FleetStatus, HubFill, MemberStatus
import pytest
from rich.console import Console

NOW_MS = 1_800_000_000_000


def member(name: str, *roles: str, may_connect: bool = True) -> Member:
    return Member(Key.generate().public, name, frozenset(roles), may_connect=may_connect)


def fleet(num_bytes: int = 500) -> FleetStatus:
    report = Report(
        'ada', NOW_MS, version=14, samples=320, trusted=2841, behind=5, gate='version 14 serves'
    )
    late = Report('bob', NOW_MS - 400_000, behind=-1, quarantine=2, problems=('the disk\x1b[31m',))
    members = (
        MemberStatus(member('ada', 'teach', 'read'), NOW_MS - 2_000, report),
        MemberStatus(member('bob\nwith a name of many words', 'propose'), NOW_MS - 8_000, late),
        MemberStatus(member('cleo', 'teach'), NOW_MS - 7_200_000, report),
        MemberStatus(member('dora', 'read'), None, None),
        MemberStatus(member('eve', 'teach', may_connect=False), NOW_MS, report),
        MemberStatus(member('finn', 'teach'), NOW_MS, None),
    )
    roster = Roster('A' * 56, 3, NOW_MS, tuple(each.member for each in members))
    fill = HubFill(9, num_bytes, 1000, 12)
    return FleetStatus(roster, 'nats://base:4222', NOW_MS, fill, members)


def lines(status: FleetStatus, width: int) -> list[str]:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(drawing(status, width))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_narrow_terminal_shows_whole_columns() -> None:
    drawn = lines(fleet(), 80)
    assert max(map(len, drawn)) <= 80
    assert drawn[0] == 'Hub nats://base:4222: 9 packs, last 12; 0.0 MB of 0.0 MB (50 %)'
    # Releases of rich differ in the width of a shortened name.
    assert re.fullmatch(r'bob\\nwith a na?… +propose  8 s ago +\? +- +0 +0', drawn[3])
    assert [' '.join(line.split()) for line in drawn[1:3] + drawn[4:8]] == [
        'member roles seen behind model trains on disputed',
        'ada teach 2 s ago 5 14 2841 0',
        'cleo teach 2 h ago 5 14 2841 0',
        'dora read never seen',
        'eve teach removed 5 14 2841 0',
        'finn teach unreadable',
    ]


def test_a_wide_terminal_shows_more_columns() -> None:
    head, ada = lines(fleet(), 120)[1:3]
    assert head.split() == [
        *('member', 'roles', 'seen', 'behind', 'model', 'own', 'trains', 'on', 'quarantined'),
        'disputed',
    ]
    assert ada.split() == ['ada', 'teach', '2', 's', 'ago', '5', '14', '320', '2841', '0', '0']


@pytest.mark.parametrize('width', [80, 120])
def test_trainings_and_problems_follow(width: int) -> None:
    text = '\n'.join(lines(fleet(num_bytes=950), width))
    assert 'ada: version 14 serves' in text
    assert '! the hub is 95 % full' in text
    assert 'its clock is 392 s behind' in text
    assert '\x1b' not in text
    assert '! finn: its last report was replaced by what it did not sign' in text


def test_a_script_gets_all_of_it() -> None:
    found = fleet().to_json()
    assert [each['state'] for each in found['members']] == [
        *('here', 'here', 'away', 'never seen', 'removed', 'unreadable'),
    ]
    assert found['hub'] == {
        'messages': 9,
        'num_bytes': 500,
        'max_bytes': 1000,
        'last_sequence': 12,
        'share': 0.5,
    }
    assert found['members'][0]['report']['samples'] == 320
