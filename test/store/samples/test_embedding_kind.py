# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind, RawArray
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest
from support.normal_floats import elements_of

PARAMETERS = QuantizationParameters(0.05, 3)
VECTORS = st.sampled_from(['uint8', 'int8', 'float32']).flatmap(
    lambda name: hnp.arrays(np.dtype(name), st.integers(1, 40), elements=elements_of(name))
)


@given(VECTORS)
def test_an_embedding_comes_back_from_disk_bit_for_bit(embedding: RawArray) -> None:
    kind = EmbeddingKind.from_embedding(
        embedding, None if embedding.dtype.kind == 'f' else PARAMETERS
    )
    data = kind.to_disk(embedding)
    assert len(data) == kind.num_bytes
    assert kind.from_disk(data).tobytes() == embedding.tobytes()


def test_floats_lie_on_disk_little_endian() -> None:
    kind = EmbeddingKind(1, 'float32', None)
    assert kind.to_disk(np.array([1.0], '>f4')) == b'\x00\x00\x80\x3f'


def test_numbers_of_numpy_and_python_make_the_same_kind() -> None:
    embedding = np.zeros(4, np.uint8)
    scale = np.float32(0.1)
    of_numpy = QuantizationParameters(scale, np.int64(3))  # type: ignore[arg-type]
    of_python = QuantizationParameters(float(scale), 3)
    assert EmbeddingKind.from_embedding(embedding, of_numpy) == EmbeddingKind.from_embedding(
        embedding, of_python
    )


def test_a_kind_can_be_read_by_people() -> None:
    assert str(EmbeddingKind(1280, 'uint8', PARAMETERS)) == (
        '1280 numbers of uint8 (scale 0.05, zero point 3)'
    )
    assert str(EmbeddingKind(64, 'float32', None)) == '64 numbers of float32'


@pytest.mark.parametrize(
    ('embedding', 'quantization', 'words'),
    [
        (np.zeros((1, 4), np.uint8), PARAMETERS, r'shape \(1, 4\)'),
        (np.zeros(0, np.uint8), PARAMETERS, 'has 0 numbers'),
        (np.zeros(4, np.float64), None, 'dtype float64'),
        (np.zeros(4, np.uint8), None, 'quantization is None'),
        (np.zeros(4, np.float32), PARAMETERS, 'must be None for float32'),
    ],
)
def test_impossible_kinds_are_rejected(
    embedding: RawArray, quantization: QuantizationParameters | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        EmbeddingKind.from_embedding(embedding, quantization)
