# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Keys are those of NATS, and sign what no hub can have them sign."""

from __future__ import annotations

import base64

from edgetpu_retrain.errors import FleetError
from edgetpu_retrain.fleet.evidence.keys import (
    check_public,
    is_signed_by,
    Key,
    public_text,
    raw_public,
)
from hypothesis import given
from hypothesis import strategies as st
import nkeys
import pytest

USER, ACCOUNT = Key(b'u' * 32, 'user'), Key(b'a' * 32, 'account')


@pytest.mark.parametrize('key', [USER, ACCOUNT, Key.generate(), Key.generate('account')])
def test_a_key_is_an_nkey(key: Key) -> None:
    theirs = nkeys.from_seed(key.seed.encode())
    assert theirs.public_key.decode() == key.public
    again = Key.from_seed(f' {key.seed}\n')
    assert (again.public, again.seed) == (key.public, key.seed)


def test_kinds_differ_in_their_first_letter() -> None:
    assert (USER.public[0], USER.seed[:2]) == ('U', 'SU')
    assert (ACCOUNT.public[0], ACCOUNT.seed[:2]) == ('A', 'SA')
    assert raw_public(USER.public, 'user') is not None
    assert raw_public(USER.public, 'account') is None
    assert Key.generate().public != Key.generate().public


def test_a_private_key_is_not_printed() -> None:
    assert repr(USER) == f'Key({USER.public})'


@given(st.binary(), st.binary(min_size=1))
def test_only_the_signed_data_passes(data: bytes, more: bytes) -> None:
    signature = USER.sign(data)
    assert is_signed_by(USER.public, signature, data)
    assert not is_signed_by(USER.public, signature, data + more)
    assert not is_signed_by(ACCOUNT.public, signature, data)


@given(st.text(), st.binary(max_size=100))
def test_garbage_is_not_signed(public: str, signature: bytes) -> None:
    assert not is_signed_by(public, signature, b'data')
    assert not is_signed_by(USER.public, signature, b'data')


def test_a_connection_does_not_sign_data() -> None:
    # What a hub sends is text, which the client signs as it is.
    theirs = nkeys.from_seed(USER.seed.encode())
    assert not is_signed_by(
        USER.public, theirs.sign(b'EDGEPCK1 of the hub'), b'EDGEPCK1 of the hub'
    )
    with pytest.raises(nkeys.ErrInvalidSignature):
        theirs.verify(b'data', USER.sign(b'data'))


def test_a_key_that_signs_anything_for_anybody_is_none() -> None:
    # For points of small order, signatures without a private key exist.
    assert not is_signed_by(public_text(bytes(32)), bytes(64), b'data')


@pytest.mark.parametrize(
    'text',
    [
        '',
        USER.seed,
        USER.public.lower(),
        USER.public[:-1],
        USER.public + 'A',
        USER.public[:-1] + '=',
        USER.public[:-1] + ('A' if USER.public[-1] != 'A' else 'B'),
        'V' + USER.public[1:],
        'Ü' + USER.public[1:],
        '1' + USER.public[1:],
        # Another kind of nkey: a server's.
        base64.b32encode(bytes([13 << 3]) + bytes(34)).decode(),
        'U' * 10_000_000,
    ],
)
def test_what_is_not_a_public_key_is_rejected(text: str) -> None:
    assert raw_public(text) is None
    with pytest.raises(FleetError, match=r'is not a public key: one begins with U and has 56'):
        check_public(text)


def test_a_public_key_is_accepted() -> None:
    assert check_public(USER.public) == USER.public
    assert check_public(ACCOUNT.public, 'account') == ACCOUNT.public
    with pytest.raises(FleetError, match='begins with A'):
        check_public(USER.public, 'account')


@given(st.binary(min_size=32, max_size=32))
def test_a_public_key_is_read_as_it_was_written(raw: bytes) -> None:
    assert raw_public(public_text(raw)) == raw


@pytest.mark.parametrize(
    'seed',
    [
        '',
        USER.public,
        USER.seed[:-1],
        USER.seed[:-2] + 'AA',
        USER.seed.lower(),
        'é' * 58,
        'S' * 58,
    ],
)
def test_what_is_not_a_seed_is_rejected_and_not_printed(seed: str) -> None:
    with pytest.raises(FleetError, match='the seed of the key is not valid') as raised:
        Key.from_seed(seed)
    assert not seed or seed not in str(raised.value)


def test_the_last_bits_of_a_seed_are_not_free() -> None:
    # 58 characters have 290 bits, 36 bytes have 288.
    last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.index(USER.seed[-1])
    other = USER.seed[:-1] + 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[last ^ 1]
    with pytest.raises(FleetError):
        Key.from_seed(other)
