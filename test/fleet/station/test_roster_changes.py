# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What the operator changes in a roster."""

from __future__ import annotations

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.fleet.station.roster_changes import (
    add_member,
    change_member,
    erase_samples,
    find_member,
    read_roles,
    remove_member,
)
import pytest

FLEET = Key.generate('account').public
ADA, BOB, CLOE = (Key.generate().public for _ in range(3))


def member(key: str, name: str, *roles: str) -> Member:
    return Member(key, name, frozenset(roles))


ROSTER = Roster(FLEET, 7, 0, (member(ADA, 'ada', 'teach'), member(BOB, 'bob', 'read')))


def test_members_are_found_by_name_and_key() -> None:
    assert find_member(ROSTER, 'ada').key == ADA
    assert find_member(ROSTER, BOB).name == 'bob'
    with pytest.raises(RequestError, match="no member 'eve'; there are ada, bob"):
        find_member(ROSTER, 'eve')


def test_a_name_belongs_to_one_connecting_member() -> None:
    with pytest.raises(RequestError, match="a member 'ada' already"):
        add_member(ROSTER, member(CLOE, 'ada', 'read'))
    replaced = add_member(remove_member(ROSTER, ADA, {}), member(CLOE, 'ada', 'read'))
    assert find_member(replaced, 'ada').key == CLOE
    both_gone = remove_member(replaced, CLOE, {})
    with pytest.raises(RequestError, match='the name of several keys'):
        find_member(both_gone, 'ada')
    assert find_member(both_gone, ADA).key == ADA


def test_a_removed_member_keeps_what_it_may_keep() -> None:
    keep = {'0' * 16: (4, bytes(32)), '1' * 16: (2, bytes(32))}
    retired = remove_member(ROSTER, ADA, keep)
    gone = find_member(retired, ADA)
    assert (gone.keep, gone.may_connect) == (keep, False)
    assert find_member(retired, BOB) == find_member(ROSTER, BOB)


def test_what_was_taken_is_not_given_back() -> None:
    once = remove_member(ROSTER, ADA, {'0' * 16: (4, b'4' * 32), '1' * 16: (2, b'2' * 32)})
    twice = remove_member(once, ADA, {'0' * 16: (9, b'9' * 32), '2' * 16: (1, b'1' * 32)})
    assert find_member(twice, ADA).keep == {'0' * 16: (4, b'4' * 32)}


def test_roles_are_checked_and_include_reading() -> None:
    assert read_roles(['teach']) == {'teach', 'read'}
    with pytest.raises(RequestError, match="'boss' is not a role: use read, propose"):
        read_roles(['teach', 'boss'])


def test_a_member_changes_only_where_it_is_told_to() -> None:
    changed = change_member(ROSTER, BOB, roles=frozenset({'teach'}), labels=None, expires_ms=5)
    assert find_member(changed, BOB) == Member(BOB, 'bob', frozenset({'teach'}), (), 5)
    again = change_member(changed, BOB, roles=None, labels=('mug*',), expires_ms=None)
    assert find_member(again, BOB) == Member(BOB, 'bob', frozenset({'teach'}), ('mug*',), 5)
    assert find_member(again, ADA) == find_member(ROSTER, ADA)


def test_a_removed_member_cannot_be_changed() -> None:
    gone = remove_member(ROSTER, BOB, {})
    with pytest.raises(RequestError, match="'bob' was revoked or retired"):
        change_member(gone, BOB, roles=frozenset({'teach'}), labels=None, expires_ms=None)


def test_erased_samples_add_up() -> None:
    erased = erase_samples(erase_samples(ROSTER, [b'1' * 32]), [b'2' * 32])
    assert erased.erased == {b'1' * 32, b'2' * 32}
