# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a roster permits depends on nothing but the roster and what it is asked about."""

from __future__ import annotations

from dataclasses import replace

from edgetpu_retrain.fleet.roster.roster import Member, Roster
import pytest
from support.fleet_packs import key, NOW_MS

FLEET = key(0, 'account').public
ONE, TWO, STRANGER = (key(number).public for number in (1, 2, 3))


def roster(**fields: object) -> Roster:
    member = replace(Member(ONE, 'one', frozenset({'teach'})), **fields)  # type: ignore[arg-type]
    return Roster(FLEET, 1, NOW_MS, (member, Member(TWO, 'two', frozenset({'read'}))))


@pytest.mark.parametrize(
    ('roles', 'role'),
    [
        ({'teach'}, 'teach'),
        ({'propose'}, 'propose'),
        ({'read', 'propose', 'teach', 'release'}, 'teach'),
        ({'read', 'release'}, ''),
        (set(), ''),
    ],
)
def test_the_strongest_role_counts(roles: set[str], role: str) -> None:
    with_roles = roster(roles=frozenset(roles))
    assert with_roles.role_of(ONE) == role
    assert with_roles.allows(ONE, 'mug', NOW_MS << 16) == bool(role)
    assert with_roles.allows(ONE, '', NOW_MS << 16) == bool(role)


def test_a_stranger_may_do_nothing() -> None:
    known = roster()
    assert known.member(ONE) is known.members[0]
    for other in (STRANGER, '', FLEET, ONE.lower()):
        assert known.member(other) is None
        assert known.role_of(other) == ''
        assert not known.allows(other, 'mug', 0)


@pytest.mark.parametrize(
    ('patterns', 'allowed', 'refused'),
    [
        ((), ['mug', 'any other'], []),
        (('mug',), ['mug'], ['mug 2', 'Mug', 'a mug', 'mu']),
        (('mug*', 'c[au]p'), ['mug', 'mug 2', 'cap', 'cup'], ['cp', 'a mug', 'CAP']),
        (('*',), ['mug'], []),
        (('[',), ['['], ['mug']),
        (('',), [], ['mug']),
    ],
)
def test_a_member_may_be_limited_to_labels(
    patterns: tuple[str, ...], allowed: list[str], refused: list[str]
) -> None:
    limited = roster(labels=patterns)
    assert [label for label in allowed if limited.allows(ONE, label, 0)] == allowed
    assert [label for label in refused if limited.allows(ONE, label, 0)] == []
    # It may always take back what it claimed.
    assert limited.allows(ONE, '', 0)


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert not roster(labels=('*a' * 40 + 'b',)).allows(ONE, 'a' * 100, 0)


def test_claims_after_the_expiry_do_not_count() -> None:
    expiring = roster(expires_ms=NOW_MS)
    assert expiring.allows(ONE, 'mug', NOW_MS << 16 | 0xFFFF)
    assert not expiring.allows(ONE, 'mug', NOW_MS + 1 << 16)
    assert not expiring.allows(ONE, '', NOW_MS + 1 << 16)
    # It expires by the clock of each claim: what came before still counts.
    assert expiring.role_of(ONE) == 'teach'


def test_what_is_kept_of_a_revoked_key_has_its_role_still() -> None:
    revoked = roster(keep={}, may_connect=False)
    assert revoked.role_of(ONE) == 'teach'
    assert revoked.allows(ONE, 'mug', NOW_MS << 16)
