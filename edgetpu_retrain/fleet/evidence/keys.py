# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Keys of robots and fleets: Ed25519, written as the nkeys of NATS.

A robot's key authenticates the robot to the hub, and signs its packs.  To authenticate, the robot
signs a text that the hub chooses.  A malicious hub could choose the bytes of a pack as this text.
So this module puts a byte that no text contains before the data that it signs: then the signature
of a text is never that of a pack.
See https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
import secrets

from edgetpu_retrain.errors import FleetError
import edgetpu_retrain.fleet.needs_libraries  # noqa: F401
from edgetpu_retrain.wording import quoted
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

SIGNATURE_BYTES = 64
"""Length of an Ed25519 signature, bytes."""

KEY_BYTES = 32
"""Length of a raw key, public or private, bytes."""

KINDS = {'user': 20 << 3, 'account': 0}
"""Prefix byte of each kind of public key: https://github.com/nats-io/nkeys, strkey.go."""

_PUBLIC_LENGTH = 56
_SEED_PREFIX = 18 << 3
# This byte never occurs in UTF-8: RFC 3629, section 1.
_NO_TEXT = b'\xff'


class Key:
    """
    A private key with its public key.

    Args:
        raw: 32 random bytes.
        kind: 'user' for a member of a fleet, 'account' for the fleet itself.
    """

    def __init__(self, raw: bytes, kind: str) -> None:
        self._key = SigningKey(raw)
        prefix = KINDS[kind]
        self.public: str = public_text(bytes(self._key.verify_key), kind)
        """The public key as text: 'U...' of a member, 'A...' of a fleet."""
        self.seed: str = _with_checksum(
            bytes([_SEED_PREFIX | prefix >> 5, (prefix & 31) << 3]) + raw
        )
        """The private key as text: 'SU...' of a member, 'SA...' of a fleet."""

    @classmethod
    def generate(cls, kind: str = 'user') -> Key:
        """Return a new random key."""
        return cls(secrets.token_bytes(KEY_BYTES), kind)

    @classmethod
    def from_seed(cls, seed: str) -> Key:
        """
        Return the key that a seed encodes.

        Raises:
            FleetError: if the seed is not valid.
        """
        data = _without_checksum(seed.strip(), 2 + KEY_BYTES)
        for kind, prefix in KINDS.items():
            head = bytes([_SEED_PREFIX | prefix >> 5, (prefix & 31) << 3])
            if data is not None and data.startswith(head):
                return cls(data[2:], kind)
        raise FleetError(
            'the seed of the key is not valid: it begins with SU or SA, has 58 characters and a '
            'checksum; copy it again'
        )

    def sign(self, data: bytes) -> bytes:
        """Return a signature of data, 64 bytes, that :func:`is_signed_by` verifies."""
        return bytes(self._key.sign(_NO_TEXT + data).signature)

    def __repr__(self) -> str:
        return f'Key({self.public})'


def is_signed_by(public: str, signature: bytes, data: bytes) -> bool:
    """Return whether the owner of a public key signed data with :meth:`Key.sign`."""
    raw = raw_public(public)
    if raw is None or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        VerifyKey(raw).verify(_NO_TEXT + data, signature)
    except BadSignatureError:
        return False
    return True


def public_text(raw: bytes, kind: str = 'user') -> str:
    """Return a public key of 32 bytes as text."""
    return _with_checksum(bytes([KINDS[kind]]) + raw)


def raw_public(public: str, kind: str | None = None) -> bytes | None:
    """
    Return the 32 bytes of a public key that is written as text.

    Args:
        public: untrusted text.
        kind: which kind it must have; None = any.

    Returns:
        The bytes; None if the text is not a key of this kind.
    """
    # Check the length first, so that the cache has only short texts.
    data = _public_bytes(public) if len(public) == _PUBLIC_LENGTH else None
    prefixes = KINDS.values() if kind is None else (KINDS[kind],)
    return data[1:] if data is not None and data[0] in prefixes else None


def check_public(public: str, kind: str = 'user') -> str:
    """
    Return a public key unchanged if it is valid.

    Raises:
        FleetError: if the text is not a public key of this kind.
    """
    if raw_public(public, kind) is None:
        first = 'U' if kind == 'user' else 'A'
        raise FleetError(
            f'{quoted(public)} is not a public key: one begins with {first} and has 56 characters'
        )
    return public


@lru_cache(maxsize=8192)
def _public_bytes(public: str) -> bytes | None:
    return _without_checksum(public, 1 + KEY_BYTES)


def _with_checksum(data: bytes) -> str:
    # The checksum is CRC-16/XMODEM, little-endian: https://github.com/nats-io/nkeys, crc16.go.
    checksum = binascii.crc_hqx(data, 0).to_bytes(2, 'little')
    return base64.b32encode(data + checksum).decode().rstrip('=')


def _without_checksum(text: str, length: int) -> bytes | None:
    """Return the ``length`` bytes that a text encodes; None if the text is not valid."""
    # Long untrusted texts are not decoded.  8 characters of base32 encode 5 bytes.
    if len(text) != -(-(length + 2) * 8 // 5) or not text.isascii():
        return None
    try:
        data = base64.b32decode(text + '=' * (-len(text) % 8))[:-2]
    except binascii.Error:
        return None
    return data if _with_checksum(data) == text else None
