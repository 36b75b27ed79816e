# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A matrix of float or quantized embeddings, whose rows are read as float32."""

from __future__ import annotations

from edgetpu_retrain.learning import arguments
from edgetpu_retrain.learning.arrays import FloatArray, IntArray
import numpy as np
import numpy.typing as npt


class EmbeddingRows:
    """
    A matrix of embeddings, whose rows are dequantized when they are read.

    A quantized or float32 matrix is not copied, and may be memory-mapped.

    Args:
        embeddings: float ``[N, D]``, or quantized integers ``[N, D]``.
        scale: for quantized embeddings only: a real value is ``scale * (stored - zero_point)``.
        zero_point: for quantized embeddings only: the integer that represents 0.

    Raises:
        ValueError: if embeddings is not a matrix of finite numbers or is empty, if scale or
            zero_point is missing or out of range for quantized embeddings, or if either is given
            for float embeddings.

    >>> rows = EmbeddingRows(np.array([[10, 14]], np.uint8), scale=0.5, zero_point=10)
    >>> rows.floats(np.array([0]))
    array([[0., 2.]], dtype=float32)
    """

    def __init__(
        self, embeddings: npt.ArrayLike, scale: float | None = None, zero_point: int | None = None
    ) -> None:
        array = arguments.as_array(embeddings, 'embeddings')
        quantized = array.dtype.kind in 'iu'
        for name, value in (('scale', scale), ('zero_point', zero_point)):
            if quantized and value is None:
                raise ValueError(
                    f'{name} is None, but embeddings has dtype {array.dtype}; quantized '
                    "embeddings need scale and zero_point, those of the extractor's output"
                )
            if not quantized and value is not None:
                raise ValueError(
                    f'{name} is {value!r}, but embeddings has dtype {array.dtype}; scale and '
                    'zero_point belong to quantized integer embeddings: leave them out'
                )
        self.scale, self.zero_point = 1.0, 0
        if quantized:
            self.scale, self.zero_point = _checked_quantization(array.dtype, scale, zero_point)
            arguments.check_matrix(array, 'embeddings')
            self.raw: npt.NDArray[np.generic] = array
        else:
            self.raw = arguments.float_matrix(array, 'embeddings')
        self.count, self.feature_dim = (int(size) for size in self.raw.shape)

    def floats(self, rows: IntArray) -> FloatArray:
        """Return some rows, selected by int64 ``[M]``, as dequantized float32 ``[M, D]``."""
        values = self.raw[rows].astype(np.float32)
        values -= np.float32(self.zero_point)
        values *= np.float32(self.scale)
        return values


def _checked_quantization(
    dtype: np.dtype[np.generic], scale: float | None, zero_point: int | None
) -> tuple[float, int]:
    step = arguments.real_number(scale, 'scale', above=0.0)
    limits = np.iinfo(dtype.name)
    zero = arguments.whole_number(zero_point, 'zero_point', minimum=int(limits.min))
    if zero > limits.max:
        raise ValueError(
            f'zero_point is {zero}; for {dtype} embeddings it must be {limits.min} to {limits.max}'
        )
    largest = step * max(abs(int(limits.min) - zero), abs(int(limits.max) - zero))
    if largest > float(np.finfo(np.float32).max):
        raise ValueError(f'scale is {scale!r}; it must keep every embedding finite in float32')
    return step, zero
