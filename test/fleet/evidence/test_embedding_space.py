# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Embeddings of two robots have one space only if all that gives them their meaning is equal."""

from __future__ import annotations

from dataclasses import replace
import hashlib

from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
import numpy as np

KIND = EmbeddingKind(4, 'uint8', QuantizationParameters(0.1, 0))
SPACE = EmbeddingSpace('digest', KIND, '')


def test_the_id_is_the_same_in_all_releases() -> None:
    # Robots of different releases must not end up in two fleets.
    assert SPACE.id == '293fe3b8bd1a82014e63ca094c5e4bbdfaabc9477b004f849baaedb0103888fd'
    assert SPACE.token == SPACE.id[:16]


def test_any_difference_is_another_space() -> None:
    spaces = [
        SPACE,
        replace(SPACE, extractor='other'),
        replace(SPACE, normalization='-1..1'),
        replace(SPACE, kind=replace(KIND, dimension=5)),
        replace(SPACE, kind=replace(KIND, dtype='int8')),
        replace(SPACE, kind=replace(KIND, quantization=QuantizationParameters(0.2, 0))),
        replace(SPACE, kind=replace(KIND, quantization=QuantizationParameters(0.1, 1))),
    ]
    assert len({space.id for space in spaces}) == len(spaces)


def test_a_space_that_was_read_from_a_file_is_the_same() -> None:
    numpy_kind = EmbeddingKind.from_embedding(
        np.zeros(4, np.uint8), QuantizationParameters(*np.array([0.1, 0]))
    )
    assert replace(SPACE, kind=numpy_kind).id == SPACE.id


def test_a_sample_has_one_id_for_each_space() -> None:
    expected = hashlib.sha256(bytes.fromhex(SPACE.id) + b'abcd').digest()
    assert SPACE.sample_id(b'abcd') == expected
    assert replace(SPACE, extractor='other').sample_id(b'abcd') != expected
