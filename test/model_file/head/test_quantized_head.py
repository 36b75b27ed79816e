# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.head.quantized_head import HeadTensors, quantize_head
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

# The quantization of Coral's MobileNet v1 embedding, which the reference heads stand behind.
CORAL = QuantizationParameters(float(np.float32(0.023528477)), 0)
EMBEDDINGS = {'uint8': CORAL, 'int8': QuantizationParameters(CORAL.scale, -128)}


def head_of(golden: Any) -> Head:
    low, high = golden['logit_range']
    return Head(golden['weights'], golden['bias'], (), (float(low), float(high)))


def computed_logits(tensors: HeadTensors, embedding: Any, steps: Any) -> Any:
    """Compute the fully-connected layer as kernels do, in integers that cannot overflow."""
    assert tensors.weights_quantization is not None
    inputs = steps.astype(np.int64) - embedding.zero_point
    weights = tensors.weights.astype(np.int64) - tensors.weights_quantization.zero_point
    return inputs @ weights.T + tensors.bias


@pytest.mark.parametrize('name', ['random16', 'trained', 'two_classes', 'untrained'])
def test_uint8_heads_are_those_of_libcoral_bit_for_bit(data: Path, name: str) -> None:
    golden = np.load(data / f'{name}.npz')
    tensors = quantize_head(head_of(golden), 'uint8', CORAL)
    np.testing.assert_array_equal(tensors.weights, golden['quantized_weights'])
    np.testing.assert_array_equal(tensors.bias, golden['quantized_bias'])
    found = [
        (np.float32(each.scale), each.zero_point)
        for each in (
            tensors.weights_quantization,
            tensors.bias_quantization,
            tensors.logits,
            tensors.scores,
        )
        if each is not None
    ]
    wanted = [
        (golden['weights_scale'], golden['weights_zero_point']),
        (golden['bias_scale'], 0),
        (golden['output_scale'], golden['output_zero_point']),
        (golden['softmax_scale'], golden['softmax_zero_point']),
    ]
    if name == 'untrained':
        # There the C++ writes scale 0, which no runtime takes; ours must be another.
        assert wanted.pop(2)[0] == 0
        assert found.pop(2)[0] > 0
    assert found == wanted


def test_int8_weights_are_symmetric_and_per_tensor() -> None:
    weights = np.array([[-0.5, 1.27], [0.25, -0.1]], np.float32)
    head = Head(weights, np.zeros(2, np.float32), (), (-1.0, 2.0))
    tensors = quantize_head(head, 'int8', EMBEDDINGS['int8'])
    assert tensors.weights_quantization is not None
    assert tensors.weights_quantization.zero_point == 0
    assert np.float32(tensors.weights_quantization.scale) == np.float32(1.27) / np.float32(127)
    assert tensors.weights.tolist() == [[-50, 25], [127, -10]]
    assert tensors.scores == QuantizationParameters(1 / 256, -128)


def test_float_heads_stay_as_they_are() -> None:
    weights = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    tensors = quantize_head(Head(weights, np.array([7, 8, 9], np.float32)), 'float32', None)
    np.testing.assert_array_equal(tensors.weights, weights.T)
    np.testing.assert_array_equal(tensors.bias, [7, 8, 9])
    assert tensors.logits is None


@pytest.mark.parametrize('dtype', EMBEDDINGS)
@pytest.mark.parametrize(
    'logit_range', [(0.0, 0.0), (np.inf, -np.inf), (3.0, 2.0), (np.nan, 1.0), (-np.inf, 1.0)]
)
def test_an_invalid_range_is_replaced_by_the_reachable_range(
    dtype: str, logit_range: tuple[float, float]
) -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(64, 3)).astype(np.float32)
    head = Head(weights, np.array([1, 2, -3], np.float32), (), logit_range)
    logits = quantize_head(head, dtype, EMBEDDINGS[dtype]).logits
    assert logits is not None
    steps = rng.integers(*((0, 256) if dtype == 'uint8' else (-128, 128)), (1000, 64))
    reached = head.logits(dequantize(steps, EMBEDDINGS[dtype]))
    limits = np.iinfo(dtype)
    assert (limits.min - logits.zero_point) * logits.scale <= reached.min()
    assert (limits.max - logits.zero_point) * logits.scale >= reached.max()


extremes = st.sampled_from([0.0, 1e-38, -1e-30, 1e-9, -1e-3, 0.5, -1.0, 1e3, -1e9, 1e20])


@settings(max_examples=300)
@given(
    st.lists(extremes, min_size=8, max_size=8),
    st.lists(extremes, min_size=2, max_size=2),
    st.tuples(extremes, extremes),
    st.sampled_from(sorted(EMBEDDINGS)),
)
def test_no_head_makes_numbers_that_kernels_cannot_compute(
    weights: list[float], bias: list[float], logit_range: tuple[float, float], dtype: str
) -> None:
    embedding = EMBEDDINGS[dtype]
    head = Head(
        np.array(weights, np.float32).reshape(4, 2), np.array(bias, np.float32), (), logit_range
    )
    tensors = quantize_head(head, dtype, embedding)
    assert tensors.bias_quantization is not None
    assert tensors.logits is not None
    limits = np.iinfo(dtype)
    corners = np.array(np.meshgrid(*[[limits.min, limits.max]] * 4)).reshape(4, -1).T
    sums = computed_logits(tensors, embedding, corners)
    assert np.abs(sums).max() < 2**31
    # What the kernels shift to the left must still fit an int32, and XNNPACK takes no more.
    ratio = tensors.bias_quantization.scale / np.float32(tensors.logits.scale)
    assert 0 < ratio < 256
    assert np.abs(sums).max() * ratio < 2**31
    # The reference SOFTMAX aborts the process at 2**-26.
    assert tensors.logits.scale > 2**-26
    assert limits.min <= tensors.logits.zero_point <= limits.max


def test_a_bias_too_large_for_the_weights_makes_the_weights_coarser() -> None:
    for dtype, embedding in EMBEDDINGS.items():
        bias = np.array([1000, -1000], np.float32)
        head = Head(np.full((4, 2), 1e-9, np.float32), bias, (), (-1000.0, 1000.0))
        tensors = quantize_head(head, dtype, embedding)
        assert tensors.bias_quantization is not None
        represented = dequantize(tensors.bias, tensors.bias_quantization)
        np.testing.assert_allclose(represented, bias, rtol=1e-4)


@pytest.mark.parametrize('dtype', EMBEDDINGS)
def test_the_accumulator_has_room_for_bias_and_products_together(dtype: str) -> None:
    weights = np.full((1280, 2), 1e-9, np.float32)
    head = Head(weights, np.array([5, 0], np.float32), (), (0.0, 5.0))
    tensors = quantize_head(head, dtype, EMBEDDINGS[dtype])
    assert tensors.weights_quantization is not None
    limits = np.iinfo(dtype)
    largest = np.abs(limits.max - tensors.weights_quantization.zero_point) * 255 * 1280
    assert np.abs(tensors.bias.astype(np.int64)).max() + largest < 2**31
    assert np.abs(tensors.bias.astype(np.int64)).max() > 2**30


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_non_finite_head_is_rejected_by_name(value: float) -> None:
    good = np.ones((2, 2), np.float32)
    bad = np.array([[1, value], [0, 0]], np.float32)
    with pytest.raises(ValueError, match='weights of the head hold NaN'):
        quantize_head(Head(bad, good[0]), 'uint8', CORAL)
    with pytest.raises(ValueError, match='bias of the head hold NaN'):
        quantize_head(Head(good, bad[0]), 'float32', None)


def test_weights_beyond_what_can_be_quantized_are_rejected() -> None:
    head = Head(np.full((2, 2), 3e38, np.float32), np.zeros(2, np.float32))
    with pytest.raises(ValueError, match='weights of the head reach'):
        quantize_head(head, 'uint8', QuantizationParameters(1e10, 0))
