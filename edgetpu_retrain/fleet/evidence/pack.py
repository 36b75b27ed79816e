# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Pack: up to 1,000 claims of one key, signed once, and the samples that they label.

A pack is sent as one message::

    manifest    see manifest.py
    signature   64 bytes
    payload     see payload.py

The packs of a key in an epoch form a chain: they are numbered from 0, and each contains the hash
of the previous one.  A robot begins a new epoch when its database is new, or lacks packs that were
already published with its key.

The signature covers only the manifest, which has a hash of each embedding and thumbnail.  So a
sample can be erased by leaving its bytes out of the payload, and the signature remains valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import hashlib
from typing import NamedTuple

from edgetpu_retrain.errors import PackError
from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import is_signed_by, Key, SIGNATURE_BYTES
from edgetpu_retrain.fleet.evidence.manifest import (
    claim_bytes,
    Head,
    labelled_samples,
    Manifest,
    MAX_CLAIMS,
    NO_PACK,
    read_head,
    read_manifest,
    write_manifest,
)
from edgetpu_retrain.fleet.evidence.payload import (
    check_payload,
    LENGTH_BYTES,
    MAX_PICTURE_BYTES,
    Payload,
    read_payload,
    write_payload,
)

__all__ = [
    'MAX_CLAIMS',
    'MAX_PACK_BYTES',
    'MAX_PICTURE_BYTES',
    'NO_PACK',
    'Header',
    'Pack',
    'Payload',
    'check_payload',
    'decode',
    'encode',
    'num_fitting',
    'peek',
    'read_header',
    'seal',
]

MAX_PACK_BYTES = 4 << 20
"""The maximum length of a message, bytes: half of what a hub should permit."""

# An upper bound for the parts that a message has only once (head, signature, empty label), bytes.
_OVERHEAD = 256


class Header(NamedTuple):
    """Identifies the pack in a message; :func:`read_header` verifies it, :func:`peek` does not."""

    hash: bytes  # noqa: A003
    origin: str
    epoch: str
    number: int
    space_id: str
    previous: bytes
    first_sequence: int
    next_sequence: int


@dataclass(frozen=True)
class Pack:
    """
    The signed part of a pack.

    Args:
        origin: public key that signed it, 'U...'.
        epoch: name of its epoch, 16 hexadecimal digits.
        number: its place in the epoch, from 0.
        previous: hash of the previous pack; :data:`NO_PACK` for number 0.
        space_id: id of the :class:`EmbeddingSpace` of its samples.
        claims: its claims, with consecutive sequence numbers.
        pictures: the SHA-256 of each thumbnail, by the id of its sample.
        manifest: the signed bytes, which encode all of the above.
        signature: the signature of the manifest, 64 bytes.
    """

    origin: str
    epoch: str
    number: int
    previous: bytes
    space_id: str
    claims: tuple[Claim, ...]
    pictures: Mapping[bytes, bytes]
    manifest: bytes
    signature: bytes
    hash: bytes = field(init=False)  # noqa: A003
    """The SHA-256 of the manifest, 32 bytes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, 'hash', hashlib.sha256(self.manifest).digest())

    @classmethod
    def from_manifest(cls, manifest: bytes, signature: bytes) -> Pack:
        """
        Return the pack of a manifest, without verifying the signature.

        Raises:
            PackError: see :func:`~edgetpu_retrain.fleet.evidence.manifest.read_manifest`.
        """
        return cls(*read_manifest(manifest), manifest, signature)


def seal(
    key: Key,
    epoch: str,
    number: int,
    previous: bytes,
    space: EmbeddingSpace,
    claims: Sequence[Claim],
    payloads: Mapping[bytes, Payload] | None = None,
) -> Pack:
    """
    Sign claims as the next pack of an epoch.

    Args:
        key: the robot's key.
        epoch: 16 random hexadecimal digits.
        number: number of packs of this epoch before this one.
        previous: hash of the previous pack; :data:`NO_PACK` for the first.
        space: the space of the samples.
        claims: 1 to 1,000 claims with consecutive sequence numbers.
        payloads: bytes of labelled samples, by id; the hashes of their thumbnails are signed.
            None = there are no thumbnails.

    Raises:
        PackError: if a value is not valid.
    """
    samples = set(labelled_samples(claims))
    pictures = {
        sample: hashlib.sha256(payload.jpeg).digest()
        for sample, payload in (payloads or {}).items()
        if payload.jpeg and sample in samples
    }
    manifest = Manifest(key.public, epoch, number, previous, space.id, tuple(claims), pictures)
    data = write_manifest(manifest)
    return Pack(*manifest, data, key.sign(data))


def num_fitting(
    claims: Sequence[Claim], payloads: Mapping[bytes, Payload], max_bytes: int = MAX_PACK_BYTES
) -> int:
    """
    Return how many claims, from the first on, fit in one message.

    Args:
        claims: the claims to send, in order.
        payloads: bytes of the samples that the claims label, by id.
        max_bytes: the maximum length of a message that the hub permits.

    Returns:
        At most :data:`MAX_CLAIMS`; 0 = not even the first fits, or there are no claims.
    """
    total = _OVERHEAD
    for count, claim in enumerate(claims[:MAX_CLAIMS]):
        payload = payloads.get(claim.sample) if claim.label else None
        total += claim_bytes(claim)
        if payload is not None:
            total += LENGTH_BYTES + len(payload.embedding) + len(payload.jpeg or b'')
        if total > min(max_bytes, MAX_PACK_BYTES):
            return count
    return min(len(claims), MAX_CLAIMS)


def encode(pack: Pack, payloads: Mapping[bytes, Payload]) -> bytes:
    """
    Return the message of a pack.

    Args:
        pack: the pack.
        payloads: bytes of samples, by id; labelled samples without an entry are left out.

    Raises:
        PackError: if the message is too large, or a thumbnail is not valid or not the one that
            was signed.
    """
    payload = write_payload(pack.claims, pack.pictures, payloads)
    message = pack.manifest + pack.signature + payload
    if len(message) > MAX_PACK_BYTES:
        raise PackError('too large', f'a pack has {len(message)} bytes, over {MAX_PACK_BYTES}')
    return message


def peek(message: bytes) -> Header:
    """
    Return the header of an untrusted message, without verifying its signature.

    Raises:
        PackError: if the message is not a pack, or is too large.
    """
    manifest, head = _manifest_of(message)
    digest = hashlib.sha256(manifest).digest()
    return Header(
        digest,
        head.origin,
        head.epoch,
        head.number,
        head.space_id,
        head.previous,
        head.sequence,
        head.sequence + head.claims,
    )


def read_header(message: bytes) -> Header:
    """
    Return the header of an untrusted message, after verifying all but its payload.

    Raises:
        PackError: if the signed part of the message is not valid.
    """
    manifest, head = _manifest_of(message)
    _read_signed(message, manifest, head)
    return peek(message)


def decode(message: bytes, space: EmbeddingSpace) -> tuple[Pack, dict[bytes, Payload]]:
    """
    Return the pack in an untrusted message, and the bytes of the samples that it labels.

    Args:
        message: what was received.
        space: the space of this robot; a pack of another space is rejected before its signature
            is verified.

    Returns:
        The pack, and the bytes of the samples that were not left out of the message, by id.

    Raises:
        PackError: if anything in the message is not valid.
    """
    manifest, head = _manifest_of(message)
    if head.space_id != space.id:
        raise PackError(
            'other space',
            f'a pack is of the embedding space {head.space_id[:16]}, not {space.token}: its robot '
            'has another extractor',
        )
    pack = _read_signed(message, manifest, head)
    payload_at = len(manifest) + SIGNATURE_BYTES
    return pack, read_payload(message[payload_at:], pack.claims, pack.pictures, space)


def _read_signed(message: bytes, manifest: bytes, head: Head) -> Pack:
    signed, payload_at = len(manifest), len(manifest) + SIGNATURE_BYTES
    signature = message[signed:payload_at]
    if not is_signed_by(head.origin, signature, manifest):
        raise PackError('bad signature', f'a pack is not signed by {head.origin}')
    return Pack.from_manifest(manifest, signature)


def _manifest_of(message: bytes) -> tuple[bytes, Head]:
    if len(message) > MAX_PACK_BYTES:
        raise PackError('too large', f'a pack has {len(message)} bytes, over {MAX_PACK_BYTES}')
    head = read_head(message)
    return message[: head.manifest_bytes], head
