# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Packs: what is sealed is decoded again, and what was changed is rejected."""

from __future__ import annotations

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import decode, encode, NO_PACK, Payload, seal
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind

SPACE = EmbeddingSpace('digest', EmbeddingKind(4, 'uint8', QuantizationParameters(0.1, 0)), '')


def test_a_pack_is_decoded_as_it_was_sealed() -> None:
    payload = Payload(b'abcd', b'\xff\xd8\xff picture \xff\xd9')
    sample = SPACE.sample_id(payload.embedding)
    claims = [Claim(sample, 'mug', 'front #1', 5, 0), Claim(sample, '', '', 6, 1, erased=True)]
    pack = seal(Key.generate(), '0123456789abcdef', 0, NO_PACK, SPACE, claims, {sample: payload})
    assert decode(encode(pack, {sample: payload}), SPACE) == (pack, {sample: payload})
    assert decode(encode(pack, {}), SPACE) == (pack, {})
