# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Adds the embedding to a retrained model's outputs: one inference yields scores and embedding."""

from __future__ import annotations

from edgetpu_retrain.model_file.flatbuffer import pack, parse
from edgetpu_retrain.model_file.head.layers import find_head
from edgetpu_retrain.model_file.metadata import self_description
from edgetpu_retrain.model_file.metadata.records import METADATA_NAME
from edgetpu_retrain.model_file.schema import indices


def expose_embedding(model: bytes) -> bytes:
    """
    Return a retrained model that also outputs the embedding.

    The result is meant to be loaded, and not to be stored: labels and TFLite Metadata are removed,
    because they describe a single output.

    Args:
        model: the bytes of a model that ends in FULLY_CONNECTED, optionally RESHAPE, and SOFTMAX.

    Returns:
        The bytes of the same model with two outputs: the scores and the embedding.

    Raises:
        ModelFileError: if the bytes are not a retrained model.
    """
    tree = parse(model)
    head = find_head(tree)
    graph = tree.subgraphs[0]
    if head.embedding not in indices(graph.outputs):
        graph.outputs = [*indices(graph.outputs), head.embedding]
        self_description.add_signature_output(tree, head.embedding, 'embedding')
    self_description.drop_content(tree, METADATA_NAME)
    return pack(tree)
