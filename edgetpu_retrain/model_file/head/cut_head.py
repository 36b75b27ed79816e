# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Cuts the head out of a retrained model, as a small model that scores stored embeddings."""

from __future__ import annotations

from edgetpu_retrain.model_file.flatbuffer import pack, parse
from edgetpu_retrain.model_file.head.layers import find_head
from edgetpu_retrain.model_file.pruning import prune


def cut_head(model: bytes) -> bytes:
    """
    Return the head of a retrained model, without the extractor.

    Args:
        model: the bytes of a model that ends in FULLY_CONNECTED, optionally RESHAPE, and SOFTMAX.

    Returns:
        The bytes of a model that computes the scores from the embedding tensor, whose shape, type
        and quantization are unchanged.  This model runs on the CPU, even if the extractor is
        compiled for the Edge TPU.

    Raises:
        ModelFileError: if the bytes are not a retrained model.
    """
    tree = parse(model)
    head = find_head(tree)
    tree.subgraphs[0].inputs = [head.embedding]
    tree.metadata = tree.metadataBuffer = tree.signatureDefs = None
    tree.description = 'Head of a retrained model, by edgetpu_retrain'
    prune(tree, head.scores)
    return pack(tree)
