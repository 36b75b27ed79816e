# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the layers at the end of a model that make it a classifier."""

from __future__ import annotations

from dataclasses import dataclass
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
# Layers that only reshape or convert their input.
_PASSING = ('RESHAPE', 'SQUEEZE', 'EXPAND_DIMS', 'QUANTIZE', 'DEQUANTIZE')
# The quantization of SOFTMAX and LOGISTIC is fixed (TensorFlow Lite's quantization specification).
_SCORE_SCALE = 1 / 256
_SCORE_ZERO_POINTS = (0, -128)


@dataclass(frozen=True)
class Tail:
    """
    The end of a model.

    Args:
        result: the layer that turns its input into scores, classes or boxes, such as 'SOFTMAX';
            '' = none.
        before: the operator before the result, or the last one if there is no result; '' = none.
        embedding: index of the classifying layer's input tensor; None if there is no classifying
            layer.
    """

    result: str
    before: str
    embedding: int | None

    @property
    def is_classifier(self) -> bool:
        """Whether the output is a classification or a detection, and not an embedding."""
        return self.embedding is not None or self.result not in ('', 'LOGISTIC')

    @property
    def gives_probabilities(self) -> bool:
        """Whether the output is the probabilities of the classes."""
        return self.result in _PROBABILITIES


def find_tail(tree: Any, output: int) -> Tail:
    """
    Return the end of a model.

    A classifying layer is a fully-connected layer (or a matrix product, as some converters write
    it) or a 1x1 convolution of a single position.  If no result follows it, it must have no
    activation: with an activation, its output is an embedding.

    Args:
        tree: the model.
        output: index of the output tensor.
    """
    result, tensor = '', output
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
        elif name not in _PASSING and not _is_linear(tree, operator, name):
            found = _classifies(tree, operator, name) and (result or not _is_activated(operator))
            return Tail(result, name, inputs[0] if found else None)
        tensor = inputs[0]
    return Tail(result, '', None)


def _has_scores(tree: Any, tensor: int) -> bool:
    """Return whether a tensor is quantized like scores; a compiled model hides its layers."""
    details = tree.subgraphs[0].tensors[tensor].quantization
    scales = [] if details is None or details.scale is None else list(details.scale)
    points = [0] if details is None else indices(details.zeroPoint) or [0]
    return scales == [_SCORE_SCALE] and points[0] in _SCORE_ZERO_POINTS


def _is_linear(tree: Any, operator: Any, name: str) -> bool:
    """Return whether an operator's second operand is a constant, such as a bias."""
    inputs = indices(operator.inputs)
    return (
        name in ('ADD', 'SUB', 'MUL')
        and len(inputs) == 2
        and inputs[1] >= 0
        and _is_constant(tree, inputs[1])
        and not _is_activated(operator)
    )


def _is_constant(tree: Any, tensor: int) -> bool:
    data = tree.buffers[tree.subgraphs[0].tensors[tensor].buffer].data
    return data is not None and len(data) > 0


def _is_activated(operator: Any) -> bool:
    none = load_schema().ActivationFunctionType.NONE
    return bool(getattr(operator.builtinOptions, 'fusedActivationFunction', none) != none)


def _classifies(tree: Any, operator: Any, name: str) -> bool:
    tensors, inputs = tree.subgraphs[0].tensors, indices(operator.inputs)
    if name == 'BATCH_MATMUL':
        return len(inputs) == 2 and inputs[1] >= 0 and _is_constant(tree, inputs[1])
    if name == 'FULLY_CONNECTED':
        return True
    if name != 'CONV_2D' or len(inputs) < 2 or inputs[1] < 0:
        return False
    # A converter writes 1 into the shape for a size that is free, and -1 into the signature.
    features, kernel = (
        indices(tensors[index].shapeSignature) or indices(tensors[index].shape)
        for index in inputs[:2]
    )
    return features[1:3] == kernel[1:3] == [1, 1]
