# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""ModelDescription: describes the input and output of a supported model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.flatbuffer import parse_to_read
from edgetpu_retrain.model_file.head.layers import find_head
from edgetpu_retrain.model_file.metadata.identity_entry import identity_of, read_identity
from edgetpu_retrain.model_file.metadata.records import (
    Metadata,
    METADATA_NAME,
    read_metadata,
)
from edgetpu_retrain.model_file.metadata.self_description import content_of
from edgetpu_retrain.model_file.normalization import MINUS_1_TO_1, Normalization
from edgetpu_retrain.model_file.quantization import is_sound, QuantizationParameters
from edgetpu_retrain.model_file.schema import (
    EDGETPU_CUSTOM_OP,
    indices,
    operator_name,
    text,
    type_name,
)

SUPPORTED_TYPES = ('uint8', 'int8', 'float32')


@dataclass(frozen=True)
class ModelDescription:
    """
    A model's input and output.

    Args:
        input_shape: ``(1, H, W, 3)``.
        input_dtype: ``'uint8'``, ``'int8'`` or ``'float32'``.
        output_dtype: one of the same types.
        dimension: length D of the output vector.
        quantization: scale and zero point of the output; None for float32.
        compiled_for_edgetpu: whether the model contains an Edge TPU program, and therefore runs
            only on an Edge TPU.
        identity: the extractor's identity, 64 hexadecimal digits (metadata/identity_entry.py).
        normalization: the normalization of a float32 input; None if the file states none, or if
            the input is quantized.
    """

    input_shape: tuple[int, int, int, int]
    input_dtype: str
    output_dtype: str
    dimension: int
    quantization: QuantizationParameters | None
    compiled_for_edgetpu: bool
    identity: str
    normalization: Normalization | None = None

    @property
    def input_side(self) -> int:
        """The longer side of the input, in pixels."""
        return max(self.input_shape[1:3])


def describe(model: bytes) -> ModelDescription:
    """
    Return the description of a model whose input is one picture and whose output is one vector.

    Raises:
        ModelFileError: if the model is damaged, or its input or output is of another kind.
    """
    tree = parse_to_read(model)
    return _describe(model, tree, output_vector(tree))


def describe_embedding(model: bytes) -> ModelDescription:
    """
    Return the description of the extractor in a retrained model.

    The described output is the embedding.  ``identity`` is computed from the retrained model, so
    it is not that of the extractor.

    Raises:
        ModelFileError: if the bytes are not a retrained model, or are damaged.
    """
    tree = parse_to_read(model)
    return _describe(model, tree, find_head(tree).embedding)


def describe_input(tree: Any) -> tuple[tuple[int, int, int, int], str]:
    """
    Return shape and element type of a model's only input, one RGB picture.

    Raises:
        ModelFileError: if the model does not have exactly one input, or its input is not a picture
            of a fixed size and a supported type.
    """
    graph = tree.subgraphs[0]
    inputs = indices(graph.inputs)
    if len(inputs) != 1:
        raise ModelFileError(
            f'this model has {len(inputs)} inputs; a model with one picture as its input is needed'
        )
    tensor = graph.tensors[inputs[0]]
    name, dtype, shape = text(tensor.name), type_name(tensor), indices(tensor.shape)
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
        raise ModelFileError(
            f'the input {name!r} has shape {shape}{_kind_of(shape)}; one RGB picture, '
            '[1, height, width, 3], is needed'
        )
    if min(shape[1:3]) <= 1:
        # Converters write 1 for a size that the model leaves free.
        raise ModelFileError(
            f'the input {name!r} has a free size, {indices(tensor.shapeSignature) or shape}: '
            'give the size of its pictures with input_size (--input-size), such as 224x224'
        )
    if dtype not in SUPPORTED_TYPES:
        raise ModelFileError(
            f'the input {name!r} is of type {dtype}; {", ".join(SUPPORTED_TYPES)} are supported'
        )
    return (1, shape[1], shape[2], 3), dtype


def _kind_of(shape: list[int]) -> str:
    """Return what a rejected input shape probably means, beginning with a comma; '' = unknown."""
    if len(shape) != 4:
        return ''
    if shape[0] > 1:
        return f', a batch of {shape[0]} pictures'
    if shape[1] == 3:
        return ', channels first as in PyTorch (onnx2tf converts it with channels last)'
    return {1: ', a grey picture', 4: ', a picture of four channels'}.get(shape[3], '')


def output_vector(tree: Any) -> int:
    """
    Return the tensor index of a model's only output.

    Raises:
        ModelFileError: if the model has no operators or not exactly one output, or if its output
            does not depend on its input.
    """
    graph = tree.subgraphs[0]
    outputs = indices(graph.outputs)
    if not graph.operators:
        raise ModelFileError('this model has no operators, so it computes nothing')
    if len(outputs) != 1:
        raise ModelFileError(
            f'this model has {len(outputs)} outputs; a model with exactly one is needed'
        )
    needed = {outputs[0]}
    for operator in reversed(graph.operators):
        if needed & set(indices(operator.outputs)):
            needed |= set(indices(operator.inputs))
    if indices(graph.inputs) and not needed & set(indices(graph.inputs)):
        raise ModelFileError(
            f'the output {text(graph.tensors[outputs[0]].name)!r} of this model does not depend '
            'on its input, so the file is damaged; convert the model again'
        )
    return outputs[0]


def vector_of(tree: Any, index: int) -> tuple[str, int, QuantizationParameters | None]:
    """
    Return element type, length and quantization of a tensor that contains one vector.

    Raises:
        ModelFileError: if the tensor's shape is not that of one vector, or if its type or
            quantization is not valid.
    """
    tensor = tree.subgraphs[0].tensors[index]
    name, dtype, shape = text(tensor.name), type_name(tensor), indices(tensor.shape)
    if len(shape) < 2 or min(shape) < 1:
        raise ModelFileError(
            f'the output {name!r} has shape {shape}; one vector, [1, N] or [1, 1, 1, N], is needed'
        )
    if any(size != 1 for size in shape[:-1]):
        raise ModelFileError(
            f'the output {name!r} has shape {shape}, more than one spatial position, as that of a '
            'segmentation or in front of a global pooling layer; give a model that outputs one '
            'vector, [1, N] or [1, 1, 1, N]'
        )
    if dtype not in SUPPORTED_TYPES:
        raise ModelFileError(
            f'the output {name!r} is of type {dtype}; {", ".join(SUPPORTED_TYPES)} are supported'
        )
    if dtype == 'float32':
        return dtype, shape[-1], None
    return dtype, shape[-1], _quantization(tensor, name, dtype)


def is_compiled(tree: Any) -> bool:
    """Return whether a model contains an Edge TPU program."""
    return any(operator_name(code) == EDGETPU_CUSTOM_OP for code in tree.operatorCodes)


def _quantization(tensor: Any, name: str, dtype: str) -> QuantizationParameters:
    details = tensor.quantization
    scales = [] if details is None or details.scale is None else list(details.scale)
    if not scales:
        raise ModelFileError(
            f'the output {name!r} is of type {dtype} but has no quantization (scale and zero '
            'point); convert the model with full integer quantization'
        )
    points = indices(details.zeroPoint) or [0]
    if len(scales) != 1 or len(points) != 1:
        raise ModelFileError(
            f'the output {name!r} has {len(scales)} scales and {len(points)} zero points; '
            'one of each is needed'
        )
    scale, point = float(scales[0]), points[0]
    if not is_sound(QuantizationParameters(scale, point), dtype):
        raise ModelFileError(
            f'the output {name!r} of type {dtype} has scale {scale} and zero point {point}, '
            'which are not valid; convert the model again'
        )
    return QuantizationParameters(scale, point)


def metadata_of(tree: Any) -> Metadata:
    """
    Return the metadata of a model, empty if it has none.

    Raises:
        ModelFileError: if the metadata is damaged.
    """
    content = content_of(tree, METADATA_NAME)
    return Metadata() if content is None else read_metadata(content)


def range_choices(normalization: Normalization | None) -> tuple[str, ...]:
    """
    Return what a normalization adds to an extractor's identity.

    The range -1..1 and None add nothing.  Samples of earlier releases, which always used -1..1 and
    did not add it, therefore stay valid.
    """
    return () if normalization in (None, MINUS_1_TO_1) else (f'input range {normalization}',)


def _describe(model: bytes, tree: Any, output: int) -> ModelDescription:
    compiled = is_compiled(tree)
    shape, dtype = describe_input(tree)
    normalization = metadata_of(tree).normalization if dtype == 'float32' else None
    # Ignore an identity in a compiled model: the Edge TPU Compiler may have copied it from the
    # uncompiled model.
    identity = '' if compiled else read_identity(tree)
    return ModelDescription(
        shape,
        dtype,
        *vector_of(tree, output),
        compiled,
        identity or identity_of(model, range_choices(normalization)),
        normalization,
    )
