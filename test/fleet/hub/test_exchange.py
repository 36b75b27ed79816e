# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Exchange: what a member believes that a hub has."""

from __future__ import annotations

import random
import time

from edgetpu_retrain.fleet.hub.exchange import Exchange
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
from support.fleet_members import draft, FLEET, member, NOW_MS, robot_key, roster, SPACE


def new_ledger(number: int) -> Ledger:
    return Ledger(
        ':memory:', SPACE, me=robot_key(number).public, fleet=FLEET.public, now_ms=lambda: NOW_MS
    )


def packs_of(number: int, count: int) -> list[bytes]:
    """Return the packs of a robot in the order of its chain."""
    with new_ledger(number) as ledger:
        packs = []
        for value in range(count):
            ledger.claim([draft(100 * number + value, 'cup')])
            packs += [ledger.message(each) for each in ledger.seal(robot_key(number))]
    return packs


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
    packs = packs_of(1, 3)
    with new_ledger(2) as bob:
        bob.set_roster(roster([member(1), member(2)]))
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


def test_a_hub_that_is_replaced_while_it_is_read_again_is_read_from_its_beginning() -> None:
    packs = packs_of(1, 2)
    with new_ledger(2) as bob:
        bob.set_roster(roster([member(1), member(2)], erased=[101]))

        def connected() -> Exchange:
            return Exchange(bob, 'base', None, others_after_ms=(0, 0), now_ms=lambda: NOW_MS)

        exchange = connected()
        exchange.begin(None)
        for sequence, message in enumerate(packs, 1):
            exchange.read(message, sequence, NOW_MS)
        exchange.caught_up()
        bob.set_roster(roster([member(1), member(2)], version=2))
        assert exchange.must_reread
        assert exchange.begin(packs[1], NOW_MS) == 2
        # The connection is lost, and the hub is empty when it is back.
        exchange = connected()
        assert exchange.begin(None) == 1
        exchange.caught_up()
        assert len(exchange.due()) == 2


def test_a_pack_that_fills_a_gap_is_due_before_those_after_it() -> None:
    now_ms = NOW_MS
    first, second = packs_of(1, 2)
    with new_ledger(2) as bob:
        bob.set_roster(roster([member(1), member(2)]))
        exchange = Exchange(
            bob, 'base', None, others_after_ms=(5_000, 5_000), now_ms=lambda: now_ms
        )
        exchange.begin(None)
        for message in (second, first):
            bob.receive(message)  # It comes from another hub.
            exchange.caught_up()
            now_ms += 3_000
        assert exchange.due() == []
        now_ms += 3_000
        assert [bob.message(each) for each in exchange.due()] == [first, second]


def test_a_clock_that_is_set_back_delays_no_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    with new_ledger(2) as bob:
        bob.set_roster(roster([member(1), member(2)]))
        exchange = Exchange(bob, 'base', None, others_after_ms=(5_000, 5_000))
        exchange.begin(None)
        bob.receive(packs_of(1, 1)[0])
        exchange.caught_up()
        day_ns = 86_400 * 10**9
        now_ns = time.time_ns
        monkeypatch.setattr(time, 'time_ns', lambda: now_ns() - day_ns)
        pause_ms = exchange.pause_ms()
        assert pause_ms is not None
        assert pause_ms <= 5_000


PAUSES = st.lists(st.integers(0, 6_000), min_size=8, max_size=8)


@settings(max_examples=50, deadline=None)
@given(arrivals=st.permutations(range(8)), pauses=PAUSES, seed=st.integers(0, 1000))
def test_no_pack_is_due_before_an_earlier_one_of_its_chain(
    arrivals: list[int], pauses: list[int], seed: int
) -> None:
    now_ms = NOW_MS
    chains = packs_of(1, 4), packs_of(3, 4)
    packs = [*chains[0], *chains[1]]
    with new_ledger(2) as bob:
        bob.set_roster(roster([member(1), member(2), member(3)]))
        exchange = Exchange(
            bob,
            'base',
            None,
            others_after_ms=(1_000, 10_000),
            now_ms=lambda: now_ms,
            random=random.Random(seed).random,
        )
        exchange.begin(None)
        here: set[bytes] = set()
        for arrival, pause_ms in zip(arrivals, pauses, strict=True):
            bob.receive(packs[arrival])
            here.add(packs[arrival])
            exchange.caught_up()
            now_ms += pause_ms
            due = [bob.message(each) for each in exchange.due()]
            for chain in chains:
                known = [each for each in chain if each in here]
                due_of_chain = [each for each in due if each in chain]
                assert due_of_chain == known[: len(due_of_chain)]


def test_a_pack_on_the_subject_of_another_key_is_published_again() -> None:
    first, second = packs_of(1, 2)
    ada, eve = robot_key(1).public, robot_key(3).public
    with new_ledger(2) as bob:
        bob.set_roster(roster([member(1), member(2)]))
        exchange = Exchange(bob, 'base', None, others_after_ms=(0, 0), now_ms=lambda: NOW_MS)
        exchange.begin(None)
        exchange.read(first, 1, NOW_MS, origin=eve)
        exchange.read(second, 2, NOW_MS, origin=ada)
        exchange.caught_up()
        assert [bob.message(each) for each in exchange.due()] == [first]
        exchange.read(first, 3, NOW_MS, origin=ada)
        exchange.caught_up()
        assert exchange.due() == []
