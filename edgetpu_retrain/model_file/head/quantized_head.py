# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Quantizes a head for a model file.

The head of a float32 extractor stays float32.  The formulas are those of libcoral for uint8 and of
TensorFlow Lite's quantization specification for int8.  Additional bounds keep degenerate heads
(untrained, all zeros, huge biases) in the range that the kernels support.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.learning import FloatArray, Head
from edgetpu_retrain.model_file.quantization import (
    int8_parameters,
    QuantizationParameters,
    quantize,
    symmetric_int8_parameters,
    uint8_parameters,
)
import numpy as np
import numpy.typing as npt

# Scores are in [0, 1], so their quantization is fixed (TensorFlow Lite's specification for
# SOFTMAX; libcoral uses the same values).
SCORES = {
    'uint8': QuantizationParameters(1 / 256, 0),
    'int8': QuantizationParameters(1 / 256, -128),
}
# Kernels accumulate products of at most 255 * 255 in an int32.
_ACCUMULATOR_LIMIT = 2**31 - 1
_LARGEST_PRODUCT = {'uint8': 255 * 255, 'int8': 255 * 127}
# The reference SOFTMAX kernel aborts the process unless scale * 2**26 is above 1
# (QuantizeMultiplierGreaterThanOne in quantization_util.cc).  If all logits are in a range of 255
# steps of this size, their scores differ by less than a fiftieth of a score's step.
_SMALLEST_LOGIT_SCALE = 2.0**-20
# XNNPACK only accepts a ratio of accumulator step to output step below 256.
_LARGEST_RATIO = 255.0
# Keeps bias scales in the range of normal float32 numbers, which begins at 1.2e-38.
_SMALLEST_BIAS_SCALE = 1e-30
# Keeps the width of a range of logits finite in float32, whose largest number is 3.4e38.
_LARGEST_LOGIT = 1e38
# Keeps a scale above its minimum after rounding to float32.
_ROUNDING_MARGIN = 1.0 + 1e-5


@dataclass(frozen=True, eq=False)
class HeadTensors:
    """
    The constants of the appended layers, and the quantization of constants and outputs.

    Args:
        weights: ``[C, D]``, uint8, int8 or float32.
        bias: ``[C]``, int32 or float32.
        weights_quantization: quantization of the weights.  This and the following fields are None
            for float32.
        bias_quantization: quantization of the bias; its scale is the embedding's scale times the
            weights' scale.
        logits: quantization of the fully-connected layer's output.
        scores: quantization of the softmax's output.
    """

    weights: npt.NDArray[Any]
    bias: npt.NDArray[Any]
    weights_quantization: QuantizationParameters | None = None
    bias_quantization: QuantizationParameters | None = None
    logits: QuantizationParameters | None = None
    scores: QuantizationParameters | None = None


def quantize_head(head: Head, dtype: str, embedding: QuantizationParameters | None) -> HeadTensors:
    """
    Return the constants of a head's layers, for embeddings of a given element type.

    Args:
        head: finite weights and bias; a ``logit_range`` that is empty (as before training) or not
            finite is replaced by the range of all possible logits.
        dtype: element type of the embedding: ``'uint8'``, ``'int8'`` or ``'float32'``.
        embedding: quantization of the embedding; None for float32.

    Raises:
        ValueError: if the head contains NaN, infinity or weights too large to be quantized.
    """
    for name, values in (('weights', head.weights), ('bias', head.bias)):
        if not np.isfinite(values).all():
            raise ValueError(f'the {name} of the head hold NaN or infinity; train it again')
    weights = np.ascontiguousarray(head.weights.T, np.float32)
    bias = np.asarray(head.bias, np.float32)
    if embedding is None:
        return HeadTensors(weights, bias)
    weights_quantization = _weights_parameters(weights, bias, dtype, embedding)
    # Compute the product in float32, as libcoral does.
    with np.errstate(over='ignore'):
        bias_scale = np.float32(embedding.scale) * np.float32(weights_quantization.scale)
    if not np.isfinite(bias_scale):
        raise ValueError(
            f'the weights of the head reach {np.abs(weights).max()}, which is more than can be '
            'quantized; train it again with a smaller learning rate'
        )
    bias_quantization = QuantizationParameters(float(bias_scale), 0)
    low, high = _logit_range(head, dtype, embedding, float(bias_scale))
    return HeadTensors(
        weights=quantize(weights, weights_quantization, dtype),
        bias=quantize(bias, bias_quantization, 'int32'),
        weights_quantization=weights_quantization,
        bias_quantization=bias_quantization,
        logits=uint8_parameters(low, high) if dtype == 'uint8' else int8_parameters(low, high),
        scores=SCORES[dtype],
    )


def _weights_parameters(
    weights: FloatArray, bias: FloatArray, dtype: str, embedding: QuantizationParameters
) -> QuantizationParameters:
    """Return the quantization of the weights, coarser if the bias would overflow otherwise."""
    dimension = weights.shape[1]
    # The part of the accumulator's range that the products leave for the bias.
    room = max(_ACCUMULATOR_LIMIT - dimension * _LARGEST_PRODUCT[dtype], 2**24)
    smallest_bias_scale = max(float(np.abs(bias).max()) / room, _SMALLEST_BIAS_SCALE)
    smallest = smallest_bias_scale / embedding.scale * _ROUNDING_MARGIN
    if dtype == 'int8':
        largest = float(np.abs(weights).max())
        parameters = symmetric_int8_parameters(largest)
        if parameters.scale >= smallest:
            return parameters
        return symmetric_int8_parameters(127 * smallest)
    low, high = min(0.0, float(weights.min())), max(0.0, float(weights.max()))
    parameters = uint8_parameters(low, high)
    if parameters.scale >= smallest:
        return parameters
    return uint8_parameters(low, low + 255 * smallest)


def _logit_range(
    head: Head, dtype: str, embedding: QuantizationParameters, bias_scale: float
) -> tuple[float, float]:
    """
    Return the range of logits to quantize.

    This is the head's logit range or, if that is empty or not finite, the range of all possible
    logits.  It is widened if a step, 1/255 of the range, would be too small for the kernels.
    """
    reachable = _reachable_logits(head, dtype, embedding)
    low, high = min(0.0, head.logit_range[0]), max(0.0, head.logit_range[1])
    seen = head.logit_range[0] <= head.logit_range[1] and low < high
    if not (seen and np.isfinite(np.float32(high) - np.float32(low))):
        low, high = reachable
    # If the output has smaller steps than the accumulator, kernels shift the sum left, which must
    # not overflow even if the output itself is clipped.
    largest = max(-reachable[0], reachable[1])
    smallest_scale = max(_SMALLEST_LOGIT_SCALE, bias_scale / _LARGEST_RATIO, largest * 2.0**-30)
    return low, max(high, low + 255 * smallest_scale * _ROUNDING_MARGIN)


def _reachable_logits(
    head: Head, dtype: str, embedding: QuantizationParameters
) -> tuple[float, float]:
    """Return bounds of the logits over all possible embeddings (interval arithmetic)."""
    limits = np.iinfo(dtype)
    weights = head.weights.astype(np.float64)
    ends = [
        weights * (embedding.scale * (limit - embedding.zero_point))
        for limit in (limits.min, limits.max)
    ]
    low = np.minimum(*ends).sum(axis=0) + head.bias
    high = np.maximum(*ends).sum(axis=0) + head.bias
    return max(-_LARGEST_LOGIT, min(0.0, low.min())), min(_LARGEST_LOGIT, max(0.0, high.max()))
