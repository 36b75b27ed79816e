# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Cuts the head out of a retrained model, as a small model that scores stored embeddings."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.model_file.flatbuffer import pack, parse
from edgetpu_retrain.model_file.head.layers import find_head
from edgetpu_retrain.model_file.schema import indices, load_schema


def cut_head(model: bytes) -> bytes:
    """
    Return the head of a retrained model, without the extractor.

    Args:
        model: the bytes of a model that ends in FULLY_CONNECTED, optionally RESHAPE, and SOFTMAX.

    Returns:
        The bytes of a model whose input is the embedding tensor, in its shape, type and
        quantization, and whose output is the scores.  It runs on the CPU, even if the extractor
        is compiled for the Edge TPU.

    Raises:
        ModelFileError: if the bytes are not a retrained model.
    """
    tree = parse(model)
    head = find_head(tree)
    schema = load_schema()
    graph = tree.subgraphs[0]
    # By convention, buffer 0 is empty.
    buffers, codes = [schema.BufferT()], []
    tensors: dict[int, Any] = {}
    for operator in head.operators:
        for index in [*indices(operator.inputs), *indices(operator.outputs)]:
            if index >= 0 and index not in tensors:
                tensor = tensors[index] = graph.tensors[index]
                # The Edge TPU Compiler assigns buffer 0 to all tensors without content.  The data
                # of this buffer is empty but not absent; a runtime would take a copy of it in
                # another buffer for a damaged constant.
                if tensor.buffer != 0:
                    buffers.append(tree.buffers[tensor.buffer])
                    tensor.buffer = len(buffers) - 1
    places = {old: new for new, old in enumerate(tensors)} | {-1: -1}
    for operator in head.operators:
        codes.append(tree.operatorCodes[operator.opcodeIndex])
        operator.opcodeIndex = len(codes) - 1
        operator.inputs = [places[index] for index in indices(operator.inputs)]
        operator.outputs = [places[index] for index in indices(operator.outputs)]
    cut = schema.ModelT(
        version=tree.version,
        operatorCodes=codes,
        subgraphs=[
            schema.SubGraphT(
                name='main',
                tensors=list(tensors.values()),
                inputs=[places[head.embedding]],
                outputs=[places[head.scores]],
                operators=list(head.operators),
            )
        ],
        description='Head of a retrained model, by edgetpu_retrain',
        buffers=buffers,
    )
    return pack(cut)
