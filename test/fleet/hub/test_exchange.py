# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Exchange: what a member believes that a hub has."""

from __future__ import annotations

from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from support.fleet_members import draft, FLEET, member, NOW_MS, robot_key, roster, SPACE


def new_ledger(number: int) -> Ledger:
    return Ledger(
        ':memory:', SPACE, me=robot_key(number).public, fleet=FLEET.public, now_ms=lambda: NOW_MS
    )


def test_a_newer_roster_is_due_at_a_hub_that_has_an_older_one() -> None:
    first, second = roster([member(1)]), roster([member(1)], version=2)
    with new_ledger(1) as ledger:
        exchange = Exchange(ledger, 'site', robot_key(1))
        exchange.begin(None)
        assert exchange.read_roster(first)
        assert exchange.roster_due() is None
        ledger.set_roster(second)  # It came from another hub.
        assert exchange.roster_due() == second
        exchange.published_roster(second)
        assert exchange.roster_due() is None


def test_what_was_read_after_the_saved_position_is_believed_when_read_again() -> None:
    teacher = robot_key(1)
    with new_ledger(1) as ada, new_ledger(2) as bob:
        for ledger in (ada, bob):
            ledger.set_roster(roster([member(1), member(2)]))
        packs = []
        for value in range(3):
            ada.claim([draft(value, 'cup')])
            packs += [ada.message(each) for each in ada.seal(teacher)]
        exchange = Exchange(
            bob, 'base', robot_key(2), others_after_ms=(0, 0), now_ms=lambda: NOW_MS
        )
        exchange.begin(None)
        exchange.read(packs[0], 1, NOW_MS)
        exchange.caught_up()
        exchange.read(packs[1], 2, NOW_MS)
        exchange.read(packs[2], 3, NOW_MS)
        # The connection is lost, and the hub restored to what it had at position 1.
        assert exchange.begin(packs[0], NOW_MS) == 2
        exchange.caught_up()
        assert [bob.message(each) for each in exchange.due()] == packs[1:]
