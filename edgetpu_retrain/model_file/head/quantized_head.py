# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
A head in the numbers of a model file: as integers behind a quantized extractor, else as it is.

The formulas are those of libcoral for uint8 and of TensorFlow Lite's quantization specification
for int8; what is added here keeps degenerate heads (untrained, all zeros, huge biases) within
what the kernels can compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast, Literal

from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.quantization import (
    int8_parameters,
    QuantizationParameters,
    quantize,
    symmetric_int8_parameters,
    uint8_parameters,
)
import numpy as np
import numpy.typing as npt

# Scores lie in [0, 1], so their quantization is fixed (TensorFlow Lite's specification for
# SOFTMAX; libcoral has the same).
SCORES = {
    'uint8': QuantizationParameters(1 / 256, 0),
    'int8': QuantizationParameters(1 / 256, -128),
}
# Kernels add up products of at most 255 * 255 in an int32.
_ACCUMULATOR_LIMIT = 2**31 - 1
_LARGEST_PRODUCT = {'uint8': 255 * 255, 'int8': 255 * 127}
# The reference SOFTMAX kernel ends the process when scale * 2**26 is not above 1
# (QuantizeMultiplierGreaterThanOne in quantization_util.cc).  A range of logits that is narrower
# than 255 of these steps makes scores that are equal to within a thousandth of a step.
_SMALLEST_LOGIT_SCALE = 2.0**-20
# XNNPACK takes a ratio of accumulator step to output step below 256 only.
_LARGEST_RATIO = 255.0
# Keeps bias scales in the normal range of a float32, whose smallest is 1.2e-38.
_SMALLEST_BIAS_SCALE = 1e-30
# Keeps the width of a range within float32.
_LARGEST_LOGIT = 1e38
_ROUNDING_MARGIN = 1.0 + 1e-5


@dataclass(frozen=True, eq=False)
class HeadTensors:
    """
    The constants of the appended layers.

    Args:
        weights: ``[C, D]``, uint8, int8 or float32.
        bias: ``[C]``, int32 or float32.
        weights_quantization: None for float32, as all that follow.
        bias_quantization: scale is that of the embedding times that of the weights.
        logits: of the fully-connected layer's output.
        scores: of the softmax's output.
    """

    weights: npt.NDArray[Any]
    bias: npt.NDArray[Any]
    weights_quantization: QuantizationParameters | None = None
    bias_quantization: QuantizationParameters | None = None
    logits: QuantizationParameters | None = None
    scores: QuantizationParameters | None = None


def quantize_head(head: Head, dtype: str, embedding: QuantizationParameters | None) -> HeadTensors:
    """
    Return the constants of the layers that compute a head behind an extractor.

    Args:
        head: weights and bias, finite; a ``logit_range`` that is empty or not finite (as before
            any training) is replaced by the range that the weights can reach.
        dtype: element type of the embedding: ``'uint8'``, ``'int8'`` or ``'float32'``.
        embedding: quantization of the embedding, None for float32.

    Raises:
        ValueError: when the head holds no class, NaN or infinity.
    """
    if head.num_classes == 0:
        raise ValueError('the head has 0 classes; at least one is needed')
    for name, values in (('weights', head.weights), ('bias', head.bias)):
        if not np.isfinite(values).all():
            raise ValueError(f'the {name} of the head hold NaN or infinity; train it again')
    weights = np.ascontiguousarray(head.weights.T, np.float32)
    bias = np.asarray(head.bias, np.float32)
    if embedding is None:
        return HeadTensors(weights, bias)
    kind = cast(Literal['uint8', 'int8'], dtype)
    weights_quantization = _weights_parameters(weights, bias, kind, embedding)
    # Both factors are float32 numbers, and so is their product, as in libcoral.
    with np.errstate(over='ignore'):
        bias_scale = np.float32(embedding.scale) * np.float32(weights_quantization.scale)
    if not np.isfinite(bias_scale):
        raise ValueError(
            f'the weights of the head reach {np.abs(weights).max()}, which is more than can be '
            'quantized; train it again with a smaller learning rate'
        )
    bias_quantization = QuantizationParameters(float(bias_scale), 0)
    low, high = _logit_range(head, kind, embedding, float(bias_scale))
    return HeadTensors(
        weights=quantize(weights, weights_quantization, kind),
        bias=quantize(bias, bias_quantization, 'int32'),
        weights_quantization=weights_quantization,
        bias_quantization=bias_quantization,
        logits=uint8_parameters(low, high) if kind == 'uint8' else int8_parameters(low, high),
        scores=SCORES[kind],
    )


def _weights_parameters(
    weights: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    dtype: Literal['uint8', 'int8'],
    embedding: QuantizationParameters,
) -> QuantizationParameters:
    """Return the weights' own parameters, or coarser ones where the bias would not fit."""
    dimension = weights.shape[1]
    # What the accumulator has left for the bias once the products are in.
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
    head: Head,
    dtype: Literal['uint8', 'int8'],
    embedding: QuantizationParameters,
    bias_scale: float,
) -> tuple[float, float]:
    """Return the head's own range, widened to include 0, or a usable one in its place."""
    reachable = _reachable_logits(head, dtype, embedding)
    low, high = min(0.0, head.logit_range[0]), max(0.0, head.logit_range[1])
    seen = head.logit_range[0] <= head.logit_range[1] and low < high
    if not (seen and np.isfinite(np.float32(high) - np.float32(low))):
        low, high = reachable
    # Kernels shift the sum to the left when the output is finer than the accumulator, which
    # must not overflow even where the output itself is clipped.
    largest = max(-reachable[0], reachable[1])
    smallest_scale = max(_SMALLEST_LOGIT_SCALE, bias_scale / _LARGEST_RATIO, largest * 2.0**-30)
    return low, max(high, low + 255 * smallest_scale * _ROUNDING_MARGIN)


def _reachable_logits(
    head: Head, dtype: Literal['uint8', 'int8'], embedding: QuantizationParameters
) -> tuple[float, float]:
    """Return bounds of the logits over all embeddings there can be (interval arithmetic)."""
    limits = np.iinfo(dtype)
    weights = head.weights.astype(np.float64)
    ends = [
        weights * (embedding.scale * (limit - embedding.zero_point))
        for limit in (limits.min, limits.max)
    ]
    low = np.minimum(*ends).sum(axis=0) + head.bias
    high = np.maximum(*ends).sum(axis=0) + head.bias
    return max(-_LARGEST_LOGIT, min(0.0, low.min())), min(_LARGEST_LOGIT, max(0.0, high.max()))
