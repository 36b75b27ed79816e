# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A pack of a fleet: any bytes, and any manifest and payload that a member signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key, raw_public, SIGNATURE_BYTES
from edgetpu_retrain.fleet.evidence.manifest import read_head
from edgetpu_retrain.fleet.evidence.pack import (
    decode,
    encode,
    NO_PACK,
    num_fitting,
    Pack,
    Payload,
    peek,
    seal,
)
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from fuzz.target import each_of, MemoryBudget, MIB, Target
import numpy as np

_KEY = Key(bytes(32), 'user')
_EPOCH = '0123456789abcdef'
_SPACES = (
    EmbeddingSpace('uint8', EmbeddingKind(4, 'uint8', QuantizationParameters(0.1, 0)), ''),
    EmbeddingSpace('float32', EmbeddingKind(1, 'float32', None), '-1..1'),
)


def _run(data: bytes, _folder: Path) -> None:
    each_of(
        lambda: peek(data),
        *(lambda space=space: _use(data, space) for space in _SPACES),
        *(lambda space=space: _use(_signed(data, space), space) for space in _SPACES),
    )


def _signed(data: bytes, space: EmbeddingSpace) -> bytes:
    """Return a message with the claims and the payload of another one, signed in this space."""
    end = read_head(data).manifest_bytes
    magic, raw = data[:8], raw_public(_KEY.public) or b''
    manifest = magic + raw + data[40:88] + bytes.fromhex(space.id) + data[120:end]
    after = end + SIGNATURE_BYTES
    return manifest + _KEY.sign(manifest) + data[after:]


def _use(message: bytes, space: EmbeddingSpace) -> None:
    """Decode a message and do with it what a robot does."""
    pack, payloads = decode(message, space)
    assert encode(pack, payloads) == message
    assert peek(message).hash == pack.hash
    assert Pack.from_manifest(pack.manifest, pack.signature) == pack
    assert num_fitting(pack.claims, payloads) == len(pack.claims)
    again = seal(_KEY, pack.epoch, pack.number, pack.previous, space, pack.claims, payloads)
    assert again.claims == pack.claims


def _seeds() -> Iterator[bytes]:
    for space in _SPACES:
        embeddings = [np.array([number, 2], 'u2').tobytes() for number in range(3)]
        picture = b'\xff\xd8\xff\xe0\xff\xd9'
        payloads = {
            space.sample_id(each): Payload(each, picture if number else None)
            for number, each in enumerate(embeddings)
        }
        claims = [
            Claim(sample, 'daisy', 'front #1', 1_800_000_000_000 << 16 | place, place)
            for place, sample in enumerate(payloads)
        ]
        claims.append(claims[0]._replace(label='', recording='', sequence=3, erased=True))
        claims.append(claims[1]._replace(label='rose', sequence=4))
        pack = seal(_KEY, _EPOCH, 0, NO_PACK, space, claims, payloads)
        yield encode(pack, payloads)
        yield encode(pack, {})
        yield encode(seal(_KEY, _EPOCH, 1, pack.hash, space, claims[3:]), {})


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(2 * MIB, 256))
