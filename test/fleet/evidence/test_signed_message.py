# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A message is accepted only as it was signed."""

from __future__ import annotations

import base64

from edgetpu_retrain.fleet.evidence.signed_message import (
    sign_message,
    SIGNATURE_TEXT_BYTES,
    signed_body,
)
from hypothesis import given
from hypothesis import strategies as st
import pytest
from support.fleet_packs import key

SIGNER = key(1)


@given(st.binary())
def test_a_body_is_read_as_it_was_signed(body: bytes) -> None:
    message = sign_message(body, SIGNER)
    assert len(message) == len(body) + SIGNATURE_TEXT_BYTES
    assert signed_body(message, SIGNER.public) == body
    assert signed_body(message, key(2).public) is None


@given(st.binary(max_size=20), st.data())
def test_no_bit_can_be_changed(body: bytes, data: st.DataObject) -> None:
    message = bytearray(sign_message(body, SIGNER))
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert signed_body(bytes(message), SIGNER.public) is None


@given(st.binary(max_size=200))
def test_other_bytes_are_no_message(data: bytes) -> None:
    assert signed_body(data, SIGNER.public) is None


@pytest.mark.parametrize(
    'tail',
    [
        lambda text: b' ' + text,
        lambda text: text[:1] + b'\n' + text[1:],
        lambda text: b'\n' + text.replace(b'=', b'!'),
        lambda text: b'\n' + text[:-2] + b'AA',
        lambda text: b'\n' + text + b'\n',
        # The last bits before the padding are not used.
        lambda text: b'\n' + text[:-3] + bytes([text[-3] ^ 1]) + b'==',
    ],
)
def test_a_signature_has_one_form(tail: object) -> None:
    text = base64.b64encode(SIGNER.sign(b'body'))
    assert signed_body(b'body' + b'\n' + text, SIGNER.public) == b'body'
    assert callable(tail)
    assert signed_body(b'body' + tail(text), SIGNER.public) is None
