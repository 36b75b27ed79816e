# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Removes the parts of a model that do not contribute to an output."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.model_file.metadata.self_description import drop_content, MEMORY_PLAN
from edgetpu_retrain.model_file.schema import indices


def prune(tree: Any, output: int) -> None:
    """
    Make a tensor the only output, and keep only the layers, tensors and weights that compute it.

    Args:
        tree: the ``ModelT`` of the model, modified in place.  Its inputs remain inputs; layers
            that compute an input are removed.
        output: index of the tensor.
    """
    graph = tree.subgraphs[0]
    given = set(indices(graph.inputs))
    needed = {output}
    operators: list[Any] = []
    # A model lists its operators in execution order.
    for operator in reversed(graph.operators):
        made = set(indices(operator.outputs))
        if made & (needed - given):
            needed |= made | set(indices(operator.inputs)) | set(indices(operator.intermediates))
            operators.insert(0, operator)
    needed |= given
    places = {old: new for new, old in enumerate(sorted(needed - {-1}))} | {-1: -1}
    graph.tensors = [graph.tensors[index] for index in sorted(needed - {-1})]
    graph.operators = operators
    graph.inputs = [places[index] for index in indices(graph.inputs)]
    graph.outputs = [places[output]]
    for operator in operators:
        for name in ('inputs', 'outputs', 'intermediates'):
            vector = getattr(operator, name)
            if vector is not None:
                setattr(operator, name, [places[index] for index in indices(vector)])
    _renumber_signatures(tree, places, output)
    drop_content(tree, MEMORY_PLAN)
    _drop_unused(tree)


def _renumber_signatures(tree: Any, places: dict[int, int], output: int) -> None:
    for signature in tree.signatureDefs or []:
        signature.outputs = [
            entry for entry in signature.outputs or [] if entry.tensorIndex == output
        ]
        signature.inputs = [
            entry for entry in signature.inputs or [] if entry.tensorIndex in places
        ]
        for entry in [*signature.inputs, *signature.outputs]:
            entry.tensorIndex = places[entry.tensorIndex]


def _drop_unused(tree: Any) -> None:
    """Remove the buffers and operator codes that nothing uses."""
    graph = tree.subgraphs[0]
    users = [*graph.tensors, *(tree.metadata or [])]
    # Keep buffer 0, which is empty by convention.
    used = {0, *(user.buffer for user in users), *indices(tree.metadataBuffer)}
    places = {old: new for new, old in enumerate(sorted(used))}
    tree.buffers = [tree.buffers[index] for index in sorted(used)]
    for user in users:
        user.buffer = places[user.buffer]
    if tree.metadataBuffer is not None:
        tree.metadataBuffer = [places[index] for index in indices(tree.metadataBuffer)]
    codes = sorted({operator.opcodeIndex for operator in graph.operators})
    tree.operatorCodes = [tree.operatorCodes[index] for index in codes]
    for operator in graph.operators:
        operator.opcodeIndex = codes.index(operator.opcodeIndex)
