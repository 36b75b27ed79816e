# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Appends a trained head to an extractor; the result is a classifier.

The layers are those that Coral's own library appends: FULLY_CONNECTED, RESHAPE unless the
embedding's shape is ``[1, D]``, and SOFTMAX.  They run on the CPU; an Edge TPU program before them
is unchanged.
"""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe_input, output_vector, vector_of
from edgetpu_retrain.model_file.flatbuffer import parse
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
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.model_file.schema import builtin_code, indices, load_schema, text
import numpy as np
import numpy.typing as npt

# The operator versions for int8, and the first TensorFlow release for each type.  All other
# operators and types need version 1.  Source: op_version.cc and runtime_version.cc in
# tensorflow/lite/tools/versioning.
_INT8_VERSIONS = {'FULLY_CONNECTED': 4, 'SOFTMAX': 2}
_OLDEST_RUNTIME = {'uint8': (1, 5, 0), 'int8': (1, 14, 0), 'float32': (1, 5, 0)}


def append_head(extractor: bytes, head: Head) -> bytes:
    """
    Return a classifier: the extractor followed by the trained head.

    Args:
        extractor: the bytes of a .tflite file whose input is one RGB picture and whose output is
            one embedding: ``[1, D]`` or ``[1, 1, 1, D]``, uint8, int8 or float32.  It may be
            compiled for the Edge TPU.
        head: weights ``[D, C]`` and bias ``[C]``; its labels, if any, and its unknown detector
            are packed into the model.

    Returns:
        The bytes of a .tflite file whose output is C scores, ``[1, C]``, of the embedding's type.

    Raises:
        ModelFileError: if the file is damaged, is not an extractor or does not match the head, or
            if a label contains a line break or NUL.
        ValueError: if the head contains NaN, infinity or weights too large to be quantized.
    """
    tree = parse(extractor)
    embedding = output_vector(tree)
    describe_input(tree)
    _check_not_classifier(tree, embedding)
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
    return assemble(tree, read_files(extractor), head.labels)


def _check_not_classifier(tree: Any, output: int) -> None:
    """Raise a ModelFileError if a model is already a classifier or a detector."""
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
    weights = _add_constant(
        tree, 'head/weights', constants.weights, constants.weights_quantization
    )
    bias = _add_constant(tree, 'head/bias', constants.bias, constants.bias_quantization)
    logits = _add_tensor(
        tree, 'head/logits', [*leading, head.num_classes], dtype, constants.logits
    )
    options = schema.FullyConnectedOptionsT()
    _add_operator(tree, 'FULLY_CONNECTED', dtype, options, [embedding, weights, bias], logits)
    if leading != [1]:
        reshaped = _add_tensor(tree, 'head/flat_logits', flat, dtype, constants.logits)
        options = schema.ReshapeOptionsT(newShape=flat)
        _add_operator(tree, 'RESHAPE', dtype, options, [logits], reshaped)
        logits = reshaped
    scores = _add_tensor(tree, 'scores', flat, dtype, constants.scores)
    _add_operator(tree, 'SOFTMAX', dtype, schema.SoftmaxOptionsT(beta=1.0), [logits], scores)
    return scores


def _add_tensor(
    tree: Any, name: str, shape: Any, dtype: str, quantization: QuantizationParameters | None
) -> int:
    schema = load_schema()
    tree.buffers.append(schema.BufferT())
    details = None
    if quantization is not None:
        details = schema.QuantizationParametersT(
            scale=np.array([quantization.scale], np.float32),
            zeroPoint=np.array([quantization.zero_point], np.int64),
        )
    tensors = tree.subgraphs[0].tensors
    tensors.append(
        schema.TensorT(
            shape=list(shape),
            type=getattr(schema.TensorType, dtype.upper()),
            buffer=len(tree.buffers) - 1,
            name=name,
            quantization=details,
        )
    )
    return len(tensors) - 1


def _add_constant(
    tree: Any, name: str, values: npt.NDArray[Any], quantization: QuantizationParameters | None
) -> int:
    tensor = _add_tensor(tree, name, values.shape, values.dtype.name, quantization)
    little_endian = values.astype(values.dtype.newbyteorder('<'))
    tree.buffers[-1].data = np.frombuffer(little_endian.tobytes(), np.uint8)
    return tensor


def _add_operator(
    tree: Any, name: str, dtype: str, options: Any, inputs: list[int], output: int
) -> None:
    schema = load_schema()
    version = _INT8_VERSIONS.get(name, 1) if dtype == 'int8' else 1
    tree.subgraphs[0].operators.append(
        schema.OperatorT(
            opcodeIndex=_operator_code(tree, name, version),
            inputs=inputs,
            outputs=[output],
            builtinOptionsType=getattr(
                schema.BuiltinOptions, type(options).__name__.removesuffix('T')
            ),
            builtinOptions=options,
        )
    )


def _operator_code(tree: Any, name: str, version: int) -> int:
    """Return the index of an operator code, reusing an existing one if possible."""
    schema = load_schema()
    wanted = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(tree.operatorCodes):
        # Reusing a newer version does not raise the model's minimum runtime version.
        if builtin_code(code) == wanted and code.version >= version:
            code.builtinCode = wanted
            return index
    tree.operatorCodes.append(
        schema.OperatorCodeT(deprecatedBuiltinCode=wanted, builtinCode=wanted, version=version)
    )
    return len(tree.operatorCodes) - 1
