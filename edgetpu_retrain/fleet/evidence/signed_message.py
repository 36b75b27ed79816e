# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Signed messages other than packs: a body, a line break, and the signature in base64.

Each body states its kind of message, so that its signature is not valid for another kind.
"""

from __future__ import annotations

import base64
import binascii

from edgetpu_retrain.fleet.evidence.keys import is_signed_by, Key, SIGNATURE_BYTES

SIGNATURE_TEXT_BYTES = 1 + 4 * -(-SIGNATURE_BYTES // 3)
"""Number of bytes that a message has in addition to its body."""


def sign_message(body: bytes, key: Key) -> bytes:
    """Return a message: a body and its signature with a key."""
    return body + b'\n' + base64.b64encode(key.sign(body))


def signed_body(message: bytes, public: str) -> bytes | None:
    """
    Return the body of an untrusted message.

    Args:
        message: what was received, of a length that the caller has limited.
        public: the public key that must have signed it.

    Returns:
        The body; None if the owner of this key did not sign it.
    """
    body, tail = message[:-SIGNATURE_TEXT_BYTES], message[-SIGNATURE_TEXT_BYTES:]
    try:
        signature = base64.b64decode(tail[1:])
    except binascii.Error:
        return None
    # b64decode() accepts several texts for one signature; only one of them is valid here.
    has_one_form = tail == b'\n' + base64.b64encode(signature)
    return body if has_one_form and is_signed_by(public, signature, body) else None
