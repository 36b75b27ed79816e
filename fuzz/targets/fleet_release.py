# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A released head or a promotion: any bytes, and anything that a member signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.signed_message import sign_message, SIGNATURE_TEXT_BYTES
from edgetpu_retrain.fleet.releases.release import (
    decode,
    encode,
    encode_promotion,
    Promotion,
    Release,
)
from edgetpu_retrain.fleet.releases.staging import newest_for
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.learning import Head
from edgetpu_retrain.learning.unknown import UnknownDetector
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from fuzz.json_mutation import mutate_json
from fuzz.target import each_of, MemoryBudget, MIB, Target
import numpy as np

_KEY = Key(bytes(32), 'user')
_SPACE = EmbeddingSpace('uint8', EmbeddingKind(4, 'uint8', QuantizationParameters(0.1, 0)), '')
_ROSTER = Roster('', 1, 0, (Member(_KEY.public, 'station', frozenset({'release'})),))


def _run(data: bytes, _folder: Path) -> None:
    each_of(
        lambda: _use(data),
        lambda: _use(sign_message(data[:-SIGNATURE_TEXT_BYTES], _KEY)),
    )


def _use(message: bytes) -> None:
    """Decode a message and do with it what a robot does."""
    found = decode(message, _ROSTER, _SPACE)
    newest_for(_KEY.public, [found])
    if isinstance(found, Release):
        found.head.predict(np.zeros((2, 4), np.float32))
        assert encode(found, _KEY) == message
    else:
        assert encode_promotion(found, _KEY) == message


def _seeds() -> Iterator[bytes]:
    detector = UnknownDetector(
        np.zeros(4, np.float32), np.ones(4, np.float32), -0.5, np.eye(4, 1, dtype=np.float32), 0.5
    )
    head = Head(
        np.eye(4, 2, dtype=np.float32), np.zeros(2, np.float32), ('cup', 'mug'), (-1.0, 1.0), 0.5,
        detector,
    )  # fmt: skip
    frontier = {_KEY.public: {'0123456789abcdef': [3, '5' * 64]}}
    counts = {'cup': 3, 'mug': 4}
    yield encode(Release(_KEY.public, 5, _SPACE.id, frontier, 0.1, head, counts, 0.9), _KEY)
    yield encode_promotion(Promotion(_KEY.public, 6, 'b' * 64, 1.0), _KEY)


def _mutate(data: bytes, most: int, seed: int, mutate: Callable[[bytes, int], bytes]) -> bytes:
    """Change the fields, which are JSON between the publisher and the numbers, or any byte."""
    before, brace, rest = data.partition(b'{')
    fields, end, numbers = rest.partition(b'\n')
    most -= len(before) + len(end) + len(numbers)
    return before + mutate_json(brace + fields, most, seed, mutate) + end + numbers


TARGET = Target(run=_run, seeds=_seeds, mutate=_mutate, memory=MemoryBudget(2 * MIB, 256))
