# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Small samples, claims and packs of a fleet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import hashlib

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import NO_PACK, Pack, Payload, seal
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind

DIMENSION = 8
SPACE = EmbeddingSpace(
    'digest', EmbeddingKind(DIMENSION, 'uint8', QuantizationParameters(0.1, 0)), ''
)
FLOAT_SPACE = EmbeddingSpace('digest', EmbeddingKind(2, 'float32', None), '-1..1')
EPOCH = '0123456789abcdef'
NOW_MS = 1_800_000_000_000


def key(number: int, kind: str = 'user') -> Key:
    """Return the same key for the same number."""
    return Key(hashlib.sha256(b'key %d' % number).digest(), kind)


def payload(number: int, *, jpeg: bool = False) -> Payload:
    """Return the bytes of a sample."""
    picture = b'\xff\xd8\xff' + b'picture %d' % number + b'\xff\xd9'
    embedding = hashlib.sha256(b'sample %d' % number).digest()[:DIMENSION]
    return Payload(embedding, picture if jpeg else None)


def claims_of(payloads: Sequence[Payload], *, first: int = 0, label: str = 'mug') -> list[Claim]:
    """Return a claim for each sample."""
    return [
        Claim(SPACE.sample_id(each.embedding), label, 'front #1', (NOW_MS << 16) + place, place)
        for place, each in enumerate(payloads, first)
    ]


def by_id(payloads: Sequence[Payload]) -> dict[bytes, Payload]:
    """Return samples by their id."""
    return {SPACE.sample_id(each.embedding): each for each in payloads}


def small_pack(
    claims: Sequence[Claim],
    payloads: Mapping[bytes, Payload] | None = None,
    *,
    signer: Key | None = None,
    after: Pack | None = None,
) -> Pack:
    """Return a signed pack, the first of its epoch or the one after another."""
    number, previous = (0, NO_PACK) if after is None else (after.number + 1, after.hash)
    return seal(signer or key(1), EPOCH, number, previous, SPACE, claims, payloads)
