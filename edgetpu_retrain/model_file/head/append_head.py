# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Appends a trained head to an extractor; the result is a classifier.

The layers are those that Coral's own library appends: FULLY_CONNECTED, RESHAPE unless the
embedding's shape is ``[1, D]``, and SOFTMAX.  They run on the CPU.  An Edge TPU program in the
extractor is not changed.
"""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.choices import ModelChoices, settle
from edgetpu_retrain.model_file.description import describe_input, output_vector, vector_of
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.new_layers import add_constant, add_operator, add_tensor
from edgetpu_retrain.model_file.head.quantized_head import quantize_head
from edgetpu_retrain.model_file.head.tail import find_tail
from edgetpu_retrain.model_file.metadata.identity_entry import IDENTITY_NAME
from edgetpu_retrain.model_file.metadata.labels import assemble
from edgetpu_retrain.model_file.metadata.packed_files import read_files
from edgetpu_retrain.model_file.metadata.self_description import (
    drop_content,
    MEMORY_PLAN,
    redirect_signatures,
    require_runtime,
)
from edgetpu_retrain.model_file.metadata.unknown_entry import write_unknown
from edgetpu_retrain.model_file.normalization import Normalization
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.model_file.schema import indices, load_schema, text

# The first TensorFlow release with all needed operator versions, by element type
# (runtime_version.cc in tensorflow/lite/tools/versioning).
_OLDEST_RUNTIME = {'uint8': (1, 5, 0), 'int8': (1, 14, 0), 'float32': (1, 5, 0)}


def append_head(
    extractor: bytes, head: Head, *, input_range: Normalization | None = None
) -> bytes:
    """
    Return a classifier: the extractor followed by the trained head.

    Args:
        extractor: the bytes of a .tflite file whose input is one RGB picture and whose output is
            one embedding: ``[1, D]`` or ``[1, 1, 1, D]``, uint8, int8 or float32.  It may be
            compiled for the Edge TPU.
        head: weights ``[D, C]`` and bias ``[C]``; its labels and its unknown detector, if it has
            them, are packed into the model.
        input_range: the normalization of a float32 input; None = as the extractor states.

    Returns:
        The bytes of a .tflite file that outputs C scores, ``[1, C]``, of the embedding's type.

    Raises:
        ModelFileError: if the file is damaged, is not an extractor or does not match the head, if
            a label contains a line break or NUL or cannot be encoded in UTF-8, if the
            normalization of a float32 input is not known, or if ``input_range`` is given for a
            quantized input.
        ValueError: if the head contains NaN, infinity or weights too large to be quantized.
    """
    tree = parse(extractor)
    embedding = output_vector(tree)
    _, input_dtype = describe_input(tree)
    if input_range is not None and input_dtype != 'float32':
        raise ModelFileError(
            f'input_range is {input_range}, but the input of the extractor is of type '
            f'{input_dtype}, so its scale and zero point apply: leave input_range out'
        )
    _check_not_classifier(tree, embedding)
    settled = settle(tree, ModelChoices(input_range), was_used=lambda: False)
    dtype, dimension, quantization = vector_of(tree, embedding)
    if dimension != head.feature_dim:
        raise ModelFileError(
            f'the extractor outputs embeddings of length {dimension}, but the head was trained '
            f'on length {head.feature_dim}; use the extractor that computed the samples'
        )
    scores = _append_layers(tree, embedding, head, dtype, quantization)
    tree.subgraphs[0].outputs = [scores]
    redirect_signatures(tree, embedding, scores, 'scores')
    require_runtime(tree, _OLDEST_RUNTIME[dtype])
    drop_content(tree, MEMORY_PLAN)  # The plan lacks the added tensors.
    drop_content(tree, IDENTITY_NAME)
    write_unknown(tree, head.unknown)
    before = text(tree.description)
    tree.description = f'Image classifier of {head.num_classes} classes by edgetpu_retrain' + (
        f', on the extractor: {before}' if before else ''
    )
    return assemble(tree, read_files(extractor), head.labels, normalization=settled.normalization)


def _check_not_classifier(tree: Any, output: int) -> None:
    """
    Raise a ModelFileError if a model ends in class scores or detections.

    A final LOGISTIC is accepted, because an extractor can also end in one.
    """
    result = find_tail(tree, output).result
    if result and result != 'LOGISTIC':
        raise ModelFileError(
            f'this model ends in {result}, so its output is a classification, not an embedding; '
            'give an embedding extractor: `python3 -m edgetpu_retrain extractor MODEL OUT` makes '
            'one of a classifier'
        )


def _append_layers(
    tree: Any, embedding: int, head: Head, dtype: str, quantization: QuantizationParameters | None
) -> int:
    """Append the layers of a head and return the index of the tensor with the scores."""
    schema = load_schema()
    constants = quantize_head(head, dtype, quantization)
    leading = indices(tree.subgraphs[0].tensors[embedding].shape)[:-1]
    flat = [1, head.num_classes]
    weights = add_constant(tree, 'head/weights', constants.weights, constants.weights_quantization)
    bias = add_constant(tree, 'head/bias', constants.bias, constants.bias_quantization)
    logits = add_tensor(tree, 'head/logits', [*leading, head.num_classes], dtype, constants.logits)
    options = schema.FullyConnectedOptionsT()
    add_operator(tree, 'FULLY_CONNECTED', dtype, options, [embedding, weights, bias], logits)
    if leading != [1]:
        reshaped = add_tensor(tree, 'head/flat_logits', flat, dtype, constants.logits)
        options = schema.ReshapeOptionsT(newShape=flat)
        add_operator(tree, 'RESHAPE', dtype, options, [logits], reshaped)
        logits = reshaped
    scores = add_tensor(tree, 'scores', flat, dtype, constants.scores)
    add_operator(tree, 'SOFTMAX', dtype, schema.SoftmaxOptionsT(beta=1.0), [logits], scores)
    return scores
