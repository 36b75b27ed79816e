# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Affine quantization: ``value = scale * (q - zero_point)``.

For uint8, the results are those of Coral's own library (libcoral), bit for bit: all arithmetic is
in float32, and halves are rounded away from zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.learning.arrays import FloatArray
import numpy as np
import numpy.typing as npt

# The smallest normal float32.
_SMALLEST_SCALE = np.finfo(np.float32).tiny
# Range of the scales that are accepted from a file.  Real embeddings need a narrower range, and
# within this range, dequantized values neither overflow nor underflow float32.
_SOUND_SCALES = (1e-20, 1e20)


@dataclass(frozen=True)
class QuantizationParameters:
    """
    Scale and zero point of a quantized tensor.

    Args:
        scale: real value of one step; a float32 number greater than 0.
        zero_point: the integer that represents 0.
    """

    scale: float
    zero_point: int


def uint8_parameters(minimum: float, maximum: float) -> QuantizationParameters:
    """
    Return the uint8 quantization parameters for a range of real numbers.

    Args:
        minimum: lower end of the range, which is widened to include 0.
        maximum: upper end, likewise; not less than ``minimum``.

    Returns:
        The same parameters as libcoral's ``QuantizationParams``.  If the range is empty or too
        narrow for a float32 scale, the parameters of the range [0, 1], because no runtime accepts
        a scale of 0.

    Raises:
        ValueError: if minimum is above maximum, or the range is not finite or too wide for a
            float32 scale.
    """
    if not minimum <= maximum:
        raise ValueError(f'the range {minimum} to {maximum} has its minimum above its maximum')
    with np.errstate(over='ignore', under='ignore'):
        low = np.float32(min(0.0, minimum))
        high = np.float32(max(0.0, maximum))
        scale = (high - low) / np.float32(255)
    if not np.isfinite(scale):
        raise ValueError(
            f'the range {minimum} to {maximum} is too wide; a float32 must hold its width'
        )
    if scale < _SMALLEST_SCALE:
        return QuantizationParameters(float(np.float32(1) / np.float32(255)), 0)
    # libcoral computes the zero point from the end of the range that has the smaller rounding
    # error.  For uint8, whose lowest integer is 0, that is always the low end.
    zero_point = -low / scale
    return QuantizationParameters(float(scale), int(_round_half_away(np.clip(zero_point, 0, 255))))


def int8_parameters(minimum: float, maximum: float) -> QuantizationParameters:
    """Return the int8 quantization parameters for a range; see :func:`uint8_parameters`."""
    parameters = uint8_parameters(minimum, maximum)
    return QuantizationParameters(parameters.scale, parameters.zero_point - 128)


def symmetric_int8_parameters(largest: float) -> QuantizationParameters:
    """
    Return the quantization parameters of int8 weights, with zero point 0 and values -127 to 127.

    TensorFlow Lite's quantization specification requires both
    (https://ai.google.dev/edge/litert/models/quantization_spec).

    Args:
        largest: the largest magnitude of the weights; if it is too small for a float32 scale, 1
            is used instead.

    Raises:
        ValueError: if largest is negative, not finite, or out of float32's range.
    """
    with np.errstate(over='ignore', under='ignore'):
        scale = np.float32(largest) / np.float32(127)
    if not (np.isfinite(scale) and largest >= 0):
        raise ValueError(f'largest is {largest}; it must be a float32 number of at least 0')
    if scale < _SMALLEST_SCALE:
        scale = np.float32(1) / np.float32(127)
    return QuantizationParameters(float(scale), 0)


def is_sound(parameters: QuantizationParameters, dtype: str) -> bool:
    """
    Return whether parameters are valid: a usable scale, and a zero point in the type's range.

    Args:
        parameters: as read from a file.
        dtype: ``'uint8'`` or ``'int8'``.
    """
    limits = np.iinfo(dtype)
    in_range = limits.min <= parameters.zero_point <= limits.max
    return in_range and _SOUND_SCALES[0] <= parameters.scale <= _SOUND_SCALES[1]


def quantize(
    values: npt.ArrayLike, parameters: QuantizationParameters, dtype: str
) -> npt.NDArray[Any]:
    """
    Quantize real numbers to integers, clipped to the type's range.

    Args:
        values: float32, any shape, finite.
        parameters: scale and zero point.
        dtype: ``'uint8'``, ``'int8'`` or ``'int32'``.

    Returns:
        The integers, in the shape of ``values``.

    Raises:
        ValueError: if a value is not finite.
    """
    reals = np.asarray(values, np.float32)
    if not np.isfinite(reals).all():
        raise ValueError('values hold NaN or infinity; only finite numbers can be quantized')
    with np.errstate(over='ignore', under='ignore'):
        steps = reals / np.float32(parameters.scale) + np.float32(parameters.zero_point)
    limits = np.iinfo(dtype)
    # Use float64, because float32 cannot represent the largest int32.
    rounded = _round_half_away(steps).astype(np.float64)
    quantized: npt.NDArray[Any] = np.clip(rounded, limits.min, limits.max).astype(dtype)
    return quantized


def dequantize(values: npt.NDArray[Any], parameters: QuantizationParameters | None) -> FloatArray:
    """
    Return the real values of a tensor's integers.

    Args:
        values: uint8, int8 or int32, any shape; float32 if parameters is None.
        parameters: scale and zero point, or None for a float32 tensor.

    Returns:
        float32, in the shape of ``values``.
    """
    if parameters is None:
        return values.astype(np.float32, copy=False)
    steps = values.astype(np.float32)
    steps -= np.float32(parameters.zero_point)
    steps *= np.float32(parameters.scale)
    return steps


def _round_half_away(values: Any) -> Any:
    """Round as C's ``round`` does; adding 0.5 first would round 0.49999997 up to 1."""
    whole = np.trunc(values)
    return whole + np.copysign(np.abs(values - whole) >= 0.5, values)
