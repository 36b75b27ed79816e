# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the layers at the end of a model that make it a classifier."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any

from edgetpu_retrain.model_file.head.layers import operator_of, producer
from edgetpu_retrain.model_file.schema import EDGETPU_CUSTOM_OP, indices, load_schema

# Layers that output scores, classes or boxes.
_PROBABILITIES = ('SOFTMAX', 'LOGISTIC')
_RESULTS = (
    *_PROBABILITIES,
    'LOG_SOFTMAX',
    'ARG_MAX',
    'ARG_MIN',
    'TOPK_V2',
    'TFLite_Detection_PostProcess',
)
# Layers that may follow a 1x1 convolution of all positions: an activation, and then the mean.
_POOLING = ('AVERAGE_POOL_2D', 'MEAN')
_ACTIVATIONS = ('RELU', 'RELU6', 'LEAKY_RELU', 'PRELU', 'ELU', 'HARD_SWISH')
# Layers of two operands, of which one may be a constant.
_LINEAR = ('ADD', 'SUB', 'MUL', 'DIV')
# Layers that only reshape or convert their input.
_PASSING = ('RESHAPE', 'SQUEEZE', 'EXPAND_DIMS', 'QUANTIZE', 'DEQUANTIZE')
# SOFTMAX and LOGISTIC have a fixed output quantization (TensorFlow Lite's specification).
_SCORE_SCALE = 1 / 256
_SCORE_ZERO_POINTS = (0, -128)


@dataclass(frozen=True)
class Tail:
    """
    The last layers of a model.

    Args:
        result: the result layer, which turns its input into scores, classes or boxes, such as
            'SOFTMAX'; '' = none.
        before: the operator before the result, or the last one if there is no result; '' = none.
            Skipped are operators that only reshape, convert, shift or scale, and ``pooling``.
        embedding: index of the classifying layer's input tensor; None if there is no classifying
            layer.
        pooling: the operator that averages the scores of all positions, as in SqueezeNet; None if
            there is none.  With such an operator, the embedding is the mean of the tensor
            ``embedding`` over all positions.
    """

    result: str
    before: str
    embedding: int | None
    pooling: Any = None

    @property
    def is_classifier(self) -> bool:
        """Whether the output is a classification or a detection, and not an embedding."""
        return self.embedding is not None or self.result not in ('', 'LOGISTIC')

    @property
    def gives_scores(self) -> bool:
        """Whether the output is a score for each class, if the model is a classifier."""
        return self.result in ('', 'LOG_SOFTMAX', *_PROBABILITIES)

    @property
    def gives_probabilities(self) -> bool:
        """Whether the output consists of class probabilities."""
        return self.result in _PROBABILITIES


def find_tail(tree: Any, output: int) -> Tail:
    """
    Return the last layers of a model.

    A classifying layer is a fully-connected layer (some converters write a matrix product instead)
    or a 1x1 convolution of a single position.  If a result layer follows, a 1x1 convolution of all
    positions with a pooling layer after it is a classifying layer, too.  If no result layer
    follows, a layer with an activation is not a classifying layer: its output is an embedding.

    Args:
        tree: the ``ModelT`` of the model.
        output: index of the output tensor.
    """
    result, tensor, pooling = '', output, None
    for _ in tree.subgraphs[0].operators:
        operator = producer(tree, tensor)
        name = '' if operator is None else operator_of(tree, operator)
        inputs = [] if operator is None else indices(operator.inputs)
        if not inputs or min(inputs[:1]) < 0:
            return Tail(result, name, None)
        if name in _RESULTS:
            result = result or name
        elif name == EDGETPU_CUSTOM_OP and not result and _has_scores(tree, tensor):
            return Tail('SOFTMAX', name, None)
        elif result and not pooling and name in _POOLING and _has_one_position(tree, tensor):
            pooling = operator
        elif name in _PASSING or (pooling and name in _ACTIVATIONS):
            pass
        elif (variable := _linear_input(tree, operator, name)) is not None:
            tensor = variable
            continue
        else:
            found = (
                _scores_positions(tree, operator, name, pooling)
                if pooling
                else _classifies(tree, operator, name) and (result or not _is_activated(operator))
            )
            return Tail(result, name, inputs[0] if found else None, pooling)
        tensor = inputs[0]
    return Tail(result, '', None)


def _has_scores(tree: Any, tensor: int) -> bool:
    """
    Return whether a tensor is quantized like scores.

    In a compiled model, whose layers are hidden, this is the only sign of a softmax.
    """
    details = tree.subgraphs[0].tensors[tensor].quantization
    scales = [] if details is None or details.scale is None else list(details.scale)
    points = [0] if details is None else indices(details.zeroPoint) or [0]
    return scales == [_SCORE_SCALE] and points[0] in _SCORE_ZERO_POINTS


def _linear_input(tree: Any, operator: Any, name: str) -> int | None:
    """Return the variable operand of a linear operator with a constant operand, else None."""
    inputs = indices(operator.inputs)
    if name not in _LINEAR or len(inputs) != 2 or min(inputs) < 0 or _is_activated(operator):
        return None
    variable = [tensor for tensor in inputs if not _is_constant(tree, tensor)]
    return variable[0] if len(variable) == 1 else None


def _is_constant(tree: Any, tensor: int) -> bool:
    operator = producer(tree, tensor)
    if operator is not None and operator_of(tree, operator) == 'DEQUANTIZE':
        # Converters store 16-bit weights as a constant with a DEQUANTIZE operator.
        (tensor,) = indices(operator.inputs)[:1] or [-1]
    data = tree.buffers[tree.subgraphs[0].tensors[tensor].buffer].data if tensor >= 0 else None
    return data is not None and len(data) > 0


def _has_one_position(tree: Any, tensor: int) -> bool:
    shape = indices(tree.subgraphs[0].tensors[tensor].shape)
    return all(size == 1 for size in shape[:-1])


def _is_activated(operator: Any) -> bool:
    none = load_schema().ActivationFunctionType.NONE
    return bool(getattr(operator.builtinOptions, 'fusedActivationFunction', none) != none)


def _classifies(tree: Any, operator: Any, name: str) -> bool:
    tensors, inputs = tree.subgraphs[0].tensors, indices(operator.inputs)
    if name == 'BATCH_MATMUL':
        return len(inputs) == 2 and inputs[1] >= 0 and _is_constant(tree, inputs[1])
    if name not in ('FULLY_CONNECTED', 'CONV_2D') or len(inputs) < 2 or inputs[1] < 0:
        return False
    if name == 'FULLY_CONNECTED':
        # A layer with one weight per class for each number of its input flattens the input.  With
        # fewer weights, it would score each position.
        features, kernel = (indices(tensors[index].shape) for index in inputs[:2])
        return math.prod(features) == math.prod(kernel[1:])
    # Prefer the signature: for a size that the model leaves free, converters write -1 into the
    # signature and 1 into the shape.
    features, kernel = (
        indices(tensors[index].shapeSignature) or indices(tensors[index].shape)
        for index in inputs[:2]
    )
    return features[1:3] == kernel[1:3] == [1, 1]


def _scores_positions(tree: Any, operator: Any, name: str, pooling: Any) -> bool:
    """Return whether an operator is a 1x1 convolution that can be moved behind the pooling."""
    tensors, inputs = tree.subgraphs[0].tensors, indices(operator.inputs)
    if name != 'CONV_2D' or len(inputs) < 2 or inputs[1] < 0:
        return False
    features, scores = tensors[inputs[0]], tensors[indices(pooling.inputs)[0]]
    return (
        indices(tensors[inputs[1]].shape)[1:3] == [1, 1]
        and features.type == scores.type
        and indices(features.shape)[1:3] == indices(scores.shape)[1:3]
    )
