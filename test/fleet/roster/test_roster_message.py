# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A roster is read as it was signed, and only if the key of the fleet signed it."""

from __future__ import annotations

from collections.abc import Callable
import json
from typing import Any

from edgetpu_retrain.errors import RosterError
from edgetpu_retrain.fleet.evidence.signed_message import sign_message
from edgetpu_retrain.fleet.roster.roster import Member, ROLES, Roster
from edgetpu_retrain.fleet.roster.roster_message import MAX_ROSTER_BYTES, read, sign
from hypothesis import given
from hypothesis import strategies as st
import pytest
from support.fleet_packs import key, NOW_MS

FLEET = key(0, 'account')
DIGESTS = st.binary(min_size=32, max_size=32)
NAMES = st.text(st.characters(codec='utf-8'), max_size=100).filter(str.isprintable)
NUMBERS = st.integers(0, 2**53 - 1)
EPOCHS = st.binary(min_size=8, max_size=8).map(bytes.hex)
MEMBERS = st.builds(
    Member,
    st.integers(1, 20).map(lambda number: key(number).public),
    NAMES,
    st.frozensets(st.sampled_from(ROLES)),
    st.lists(NAMES, max_size=3).map(tuple),
    st.none() | NUMBERS,
    st.none() | st.dictionaries(EPOCHS, st.tuples(NUMBERS, DIGESTS), max_size=3),
    st.booleans(),
)
ROSTERS = st.builds(
    Roster,
    st.just(FLEET.public),
    NUMBERS,
    NUMBERS,
    st.lists(MEMBERS, max_size=5, unique_by=lambda each: each.key).map(
        lambda members: tuple(sorted(members, key=lambda each: each.key))
    ),
    st.frozensets(DIGESTS, max_size=5),
)
SMALL = Roster(
    FLEET.public,
    3,
    NOW_MS,
    (
        Member(
            key(1).public,
            'base station',
            frozenset({'read', 'teach'}),
            ('mug*',),
            NOW_MS,
            {'0' * 16: (5, bytes(32))},
        ),
    ),
    frozenset({bytes(32)}),
)
MESSAGE = sign(SMALL, FLEET)
BODY = MESSAGE[:-89]


def rejection(message: bytes) -> str:
    with pytest.raises(RosterError) as raised:
        read(message, FLEET.public)
    assert str(raised.value).isprintable()
    return str(raised.value)


@given(ROSTERS)
def test_a_roster_is_read_as_it_was_signed(roster: Roster) -> None:
    assert read(sign(roster, FLEET), FLEET.public) == roster


def test_the_order_of_members_does_not_matter() -> None:
    members = [Member(key(number).public, '', frozenset()) for number in range(9)]
    one, other = (Roster(FLEET.public, 1, 0, tuple(each)) for each in (members, members[::-1]))
    assert sign(one, FLEET) == sign(other, FLEET)


def test_a_roster_can_be_read_by_people() -> None:
    assert json.loads(MESSAGE.splitlines()[0])['members'][0]['name'] == 'base station'


def test_only_the_key_of_the_fleet_signs() -> None:
    with pytest.raises(RosterError, match='the roster is of the fleet'):
        sign(SMALL, key(9, 'account'))
    assert rejection(sign_message(BODY, key(9, 'account'))) == (
        'a roster is not signed by the key of this fleet'
    )
    # A member's pack or connection is no roster.
    assert 'not signed' in rejection(sign_message(BODY, key(1)))


def test_a_roster_of_another_fleet_is_rejected() -> None:
    # Signed by this fleet's key, it would still be another fleet's.
    body = BODY.replace(FLEET.public.encode(), key(9, 'account').public.encode())
    assert 'one valid form' in rejection(sign_message(body, FLEET))
    with pytest.raises(RosterError, match='not signed'):
        read(MESSAGE, key(9, 'account').public)
    with pytest.raises(RosterError, match='not signed'):
        read(MESSAGE, 'no key')


@given(st.integers(0, len(MESSAGE) - 1), st.integers(0, 7))
def test_no_bit_can_be_changed_without_the_key(place: int, bit: int) -> None:
    changed = bytearray(MESSAGE)
    changed[place] ^= 1 << bit
    rejection(bytes(changed))


@given(st.integers(0, len(MESSAGE) - 1))
def test_a_roster_that_was_cut_off_is_rejected(length: int) -> None:
    rejection(MESSAGE[:length])


@given(st.binary(max_size=300))
def test_any_bytes_are_rejected(data: bytes) -> None:
    rejection(data)
    rejection(sign_message(data, FLEET))


def test_a_roster_that_is_too_large_is_not_read() -> None:
    assert 'has 4194305 bytes' in rejection(bytes(MAX_ROSTER_BYTES + 1))
    many = Roster(FLEET.public, 1, 0, (), frozenset(n.to_bytes(32, 'big') for n in range(70_000)))
    with pytest.raises(RosterError, match='at most 4194304'):
        sign(many, FLEET)


def change(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda tree: tree.update(fields)


def change_member(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda tree: tree['members'][0].update(fields)


@pytest.mark.parametrize(
    'edit',
    [
        change(version=-1),
        change(version=2**53),
        change(version=1.0),
        change(version=True),
        change(version='1'),
        change(version=None),
        change(issued_ms=-1),
        change(what='fleet release 1'),
        change(members={}),
        change(members=None),
        change(members=[1]),
        change(erased=['00']),
        change(erased=['00' * 32, '00' * 32]),
        change(erased=['FF' * 32]),
        change(erased=['é' * 64]),
        change(erased=[1]),
        change(more=1),
        change_member(key=FLEET.public),
        change_member(key=1),
        change_member(name='two\nlines'),
        change_member(name='\ud800'),
        change_member(name='x' * 101),
        change_member(name=None),
        change_member(roles=['rule']),
        change_member(roles='teach'),
        change_member(roles=[['teach']]),
        change_member(roles=['teach', 'teach']),
        change_member(labels=['*'] * 101),
        change_member(labels='*'),
        change_member(labels=[1]),
        change_member(expires_ms=-1),
        change_member(expires_ms=False),
        change_member(keep=[]),
        change_member(keep={'0' * 14: [5, '00' * 32]}),
        change_member(keep={'0' * 15: [5, '00' * 32]}),
        change_member(keep={'G' * 16: [5, '00' * 32]}),
        change_member(keep={'A' * 16: [5, '00' * 32]}),
        change_member(keep={'0' * 16: [5]}),
        change_member(keep={'0' * 16: [-5, '00' * 32]}),
        change_member(keep={'0' * 16: [5, '00' * 31]}),
        change_member(may_connect=1),
        change_member(may_connect=None),
        change_member(more=1),
    ],
)
def test_what_the_station_signs_must_be_valid(edit: Callable[[dict[str, Any]], None]) -> None:
    tree = json.loads(BODY)
    canonical = json.dumps(tree, sort_keys=True, separators=(',', ':')).encode()
    assert canonical == BODY
    edit(tree)
    body = json.dumps(tree, sort_keys=True, separators=(',', ':')).encode()
    assert 'the roster of this fleet is not valid' in rejection(sign_message(body, FLEET))


@pytest.mark.parametrize(
    'body',
    [
        b' ',
        b'null',
        b'[]',
        b'{}',
        BODY + b' ',
        BODY.replace(b'{', b'{ ', 1),
        BODY.replace(b'"version":3', b'"version":3,"version":3'),
        BODY.replace(b'"version":3', b'"version":NaN'),
        BODY.replace(b'"version":3', b'"version":1e400'),
        BODY.replace(b'"version":3', b'"version":' + b'9' * 5000),
        BODY.replace(b'"version":3', b'"version":' + b'[' * 100_000),
        BODY.replace(b'base station', b'base\xffstation'),
        BODY.replace(b'base', b'\\u0062ase'),
    ],
)
def test_json_has_one_form(body: bytes) -> None:
    assert 'the roster of this fleet is not valid' in rejection(sign_message(body, FLEET))


def test_a_key_is_listed_once() -> None:
    twice = Roster(FLEET.public, 1, 0, SMALL.members * 2)
    with pytest.raises(RosterError, match='lists a key twice'):
        sign(twice, FLEET)
