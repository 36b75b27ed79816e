# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the head of a retrained model: FULLY_CONNECTED, optionally RESHAPE, and SOFTMAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.schema import indices, operator_name, text


@dataclass(frozen=True)
class HeadLayers:
    """
    The head within the tree of a retrained model.

    Args:
        operators: the ``OperatorT`` objects of the head in execution order.
        embedding: index of the head's input tensor.
        scores: index of the head's output tensor.
    """

    operators: tuple[Any, ...]
    embedding: int
    scores: int


def find_head(tree: Any) -> HeadLayers:
    """
    Return the head of a retrained model: the layers from the embedding to the first output.

    Raises:
        ModelFileError: if the model has no output or ends in other layers.
    """
    outputs = indices(tree.subgraphs[0].outputs)
    if not outputs:
        raise ModelFileError('this model has no output')
    layers: list[Any] = []
    wanted = ['SOFTMAX', 'RESHAPE', 'FULLY_CONNECTED']
    tensor = outputs[0]
    while wanted:
        operator = producer(tree, tensor)
        name = 'nothing' if operator is None else operator_of(tree, operator)
        inputs = [] if operator is None else indices(operator.inputs)
        if name != wanted[0] or not inputs or inputs[0] < 0:
            if wanted[0] == 'RESHAPE':
                del wanted[0]
                continue
            raise ModelFileError(
                f'this is not a retrained model: {text(tree.subgraphs[0].tensors[tensor].name)!r} '
                f'is the output of {name}, not of {wanted[0]}; give a model that was written by '
                'append_head or save_as_tflite_model'
            )
        del wanted[0]
        layers.insert(0, operator)
        tensor = inputs[0]
    return HeadLayers(tuple(layers), embedding=tensor, scores=outputs[0])


def producer(tree: Any, tensor: int) -> Any:
    """Return the ``OperatorT`` that writes a tensor, or None for an input or a constant."""
    for operator in tree.subgraphs[0].operators:
        if tensor in indices(operator.outputs):
            return operator
    return None


def operator_of(tree: Any, operator: Any) -> str:
    """Return the operator name of an ``OperatorT``."""
    return operator_name(tree.operatorCodes[operator.opcodeIndex])
