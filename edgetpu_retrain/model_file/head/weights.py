# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the head's weights from a retrained model, dequantized."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.flatbuffer import parse_to_read
from edgetpu_retrain.model_file.head.layers import find_head
from edgetpu_retrain.model_file.quantization import dequantize, QuantizationParameters
from edgetpu_retrain.model_file.schema import indices, type_name
import numpy as np


def read_head_weights(model: bytes) -> tuple[FloatArray, FloatArray]:
    """
    Return weights and bias of the head of a retrained model.

    Args:
        model: the bytes of a model that ends in FULLY_CONNECTED, optionally RESHAPE, and SOFTMAX.

    Returns:
        float32 ``[D, C]`` and float32 ``[C]``, dequantized.

    Raises:
        ModelFileError: if the bytes are not a retrained model, or its head is damaged.
    """
    tree = parse_to_read(model)
    inputs = indices(find_head(tree).operators[0].inputs)
    if len(inputs) != 3 or min(inputs) < 0:
        raise ModelFileError(
            f'the head of this model has {len(inputs)} inputs; one that was written by '
            'append_head has an embedding, weights and a bias'
        )
    weights, bias = (_values(tree, index) for index in inputs[1:])
    if weights.ndim != 2 or bias.shape != weights.shape[:1]:
        raise ModelFileError(
            f'the head of this model has weights {list(weights.shape)} and a bias '
            f'{list(bias.shape)}; they must be [C, D] and [C]: the file is damaged'
        )
    return np.ascontiguousarray(weights.T), bias


def _values(tree: Any, index: int) -> FloatArray:
    tensor = tree.subgraphs[0].tensors[index]
    data = tree.buffers[tensor.buffer].data
    shape, name = indices(tensor.shape), type_name(tensor)
    if name not in ('uint8', 'int8', 'int32', 'float32') or data is None:
        raise ModelFileError(f'the head of this model has {name} numbers, or none: it is damaged')
    dtype = np.dtype(name).newbyteorder('<')
    # The product of two negative lengths may be right.
    if min(shape, default=0) < 0 or len(data) != int(np.prod(shape)) * dtype.itemsize:
        raise ModelFileError(f'the head of this model has {len(data)} bytes for {shape} {name}')
    stored = np.frombuffer(bytes(data), dtype).astype(name).reshape(shape)
    if name == 'float32':
        return dequantize(stored, None)
    details = tensor.quantization
    if details is None or details.scale is None or len(details.scale) != 1:
        raise ModelFileError('the head of this model is not quantized as a whole: it is damaged')
    points = details.zeroPoint
    zero = 0 if points is None or len(points) == 0 else int(points[0])
    return dequantize(stored, QuantizationParameters(float(details.scale[0]), zero))
