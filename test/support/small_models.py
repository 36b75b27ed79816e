# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Small embedding extractors, built by the tests themselves in every form that the package takes.

    from support.small_models import build_extractor
    model = build_extractor('uint8', dimension=16)

They are real .tflite files of a few kilobytes: one random convolution over the whole picture with
a ReLU behind it, so that different pictures get different embeddings and a head can be trained
on them.  They are written with the runtime's own schema package, not with the package's code.
"""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema
import flatbuffers
import numpy as np
import numpy.typing as npt

EDGETPU_CUSTOM_OP = 'edgetpu-custom-op'
# Stands for the TPU program in compiled extractors; its length is not a multiple of 16, to test
# the alignment of what follows it.
EDGETPU_PAYLOAD = bytes(np.random.default_rng(7).integers(0, 256, 1003, dtype=np.uint8))
# The scales of Coral's MobileNet v1 extractor.
INPUT_SCALE = 1 / 128
EMBEDDING_SCALE = 0.023528477

_TYPES = {
    'uint8': schema.TensorType.UINT8,
    'int8': schema.TensorType.INT8,
    'float32': schema.TensorType.FLOAT32,
}
# (zero point of the picture, of the weights and of the embedding; version of CONV_2D)
_QUANTIZED = {'uint8': (128, 128, 0, 1), 'int8': (0, 0, -128, 3)}


def build_extractor(dtype: str, **options: Any) -> bytes:
    """Return the bytes of a small .tflite extractor; see :func:`build_extractor_tree`."""
    return pack(build_extractor_tree(dtype, **options))


def build_extractor_tree(
    dtype: str,
    *,
    dimension: int = 8,
    image_size: int = 8,
    spatial: int = 1,
    rank: int = 4,
    compiled: bool = False,
    seed: int = 0,
    normalization: tuple[float, float] | None = (127.5, 127.5),
) -> Any:
    """
    Return a small extractor as the schema's ``ModelT``, which can be changed before packing.

    Args:
        dtype: ``'uint8'``, ``'int8'`` or ``'float32'``, of the picture and of the embedding.
        dimension: length D of the embedding.
        image_size: height and width of the picture; a multiple of ``spatial``.
        spatial: positions per side of the embedding; more than 1 as in a model without a pooling
            layer, which the package rejects.
        rank: 4 for an output ``[1, spatial, spatial, D]``, 2 for ``[1, spatial * spatial * D]``.
        compiled: whether the only operator is ``edgetpu-custom-op`` with ``EDGETPU_PAYLOAD``, as
            written by the Edge TPU Compiler.  Such a model needs an Edge TPU.
        seed: seed of the random weights.
        normalization: mean and standard deviation of a float32 input in the model's metadata;
            None = it states none.
    """
    shape = [1, spatial, spatial, dimension]
    model = schema.ModelT(version=3, description='Small extractor of the tests.')
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT(name='main', tensors=[], operators=[], inputs=[0])
    model.subgraphs = [graph]
    model.operatorCodes = []
    zero_points = _QUANTIZED.get(dtype, (0, 0, 0, 1))
    picture = add_tensor(
        model, 'image', dtype, [1, image_size, image_size, 3], INPUT_SCALE, zero_points[0]
    )
    if compiled:
        if rank == 2:
            shape = [1, spatial * spatial * dimension]
        embedding = add_tensor(model, 'embedding', dtype, shape, EMBEDDING_SCALE, zero_points[2])
        add_operator(
            model,
            schema.BuiltinOperator.CUSTOM,
            [picture],
            [embedding],
            customOptions=np.frombuffer(EDGETPU_PAYLOAD, np.uint8),
        )
        model.operatorCodes[0].customCode = EDGETPU_CUSTOM_OP
        # The compiler leaves a single buffer, which is empty but not absent.
        model.buffers = [schema.BufferT(data=np.zeros(0, np.uint8))]
        for tensor in graph.tensors:
            tensor.buffer = 0
    else:
        embedding = _add_convolution(model, dtype, picture, shape, image_size // spatial, seed)
    if rank == 2 and not compiled:
        flat = [1, spatial * spatial * dimension]
        reshaped = add_tensor(model, 'flat', dtype, flat, EMBEDDING_SCALE, zero_points[2])
        add_operator(
            model,
            schema.BuiltinOperator.RESHAPE,
            [embedding],
            [reshaped],
            builtinOptionsType=schema.BuiltinOptions.ReshapeOptions,
            builtinOptions=schema.ReshapeOptionsT(newShape=flat),
        )
        embedding = reshaped
    graph.outputs = [embedding]
    model.signatureDefs = [
        schema.SignatureDefT(
            inputs=[schema.TensorMapT('image', picture)],
            outputs=[schema.TensorMapT('output_0', embedding)],
            signatureKey='serving_default',
        )
    ]
    oldest_runtime = b'1.14.0' if dtype == 'int8' else b'1.5.0'
    add_metadata(model, 'min_runtime_version', oldest_runtime.ljust(16, b'\0'))
    if dtype == 'float32' and normalization is not None:
        add_metadata(model, 'TFLITE_METADATA', input_metadata(*normalization))
    return model


def add_metadata(model: Any, name: str, content: bytes) -> None:
    """Add a named metadata buffer to a ``ModelT``, in the place of one of that name."""
    model.metadata = [entry for entry in model.metadata or [] if entry.name != name]
    model.buffers.append(schema.BufferT(data=np.frombuffer(content, np.uint8)))
    model.metadata = [
        *model.metadata,
        schema.MetadataT(name=name, buffer=len(model.buffers) - 1),
    ]


def input_metadata(
    mean: float | tuple[float, ...],
    std: float | tuple[float, ...],
    size: tuple[int, int] | None = None,
) -> bytes:
    """
    Return TFLite Metadata that states the normalization of the picture.

    Args:
        mean: one number, or one a channel.
        std: the same.
        size: width and height of the picture; None = not stated.
    """
    builder = flatbuffers.Builder(256)

    def table(fields: dict[int, int]) -> int:
        builder.StartObject(8)
        for field, offset in fields.items():
            builder.PrependUOffsetTRelativeSlot(field, offset, 0)
        return int(builder.EndObject())

    def union(kind: int, value: int) -> int:
        builder.StartObject(2)
        builder.PrependInt8Slot(0, kind, 0)
        builder.PrependUOffsetTRelativeSlot(1, value, 0)
        return int(builder.EndObject())

    def vector(entry: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(entry)
        return int(builder.EndVector())

    numbers = [
        builder.CreateNumpyVector(np.atleast_1d(np.array(each, np.float32)))
        for each in (mean, std)
    ]
    units = vector(union(1, table({0: numbers[0], 1: numbers[1]})))
    tensor = {4: units}
    if size is not None:
        builder.StartObject(2)
        builder.PrependUint32Slot(0, size[0], 0)
        builder.PrependUint32Slot(1, size[1], 0)
        tensor[3] = union(2, table({1: builder.EndObject()}))
    inputs = vector(table(tensor))
    graphs = vector(table({2: inputs}))
    builder.Finish(table({3: graphs}), b'M001')
    return bytes(builder.Output())


def pack(model: Any) -> bytes:
    """Return the bytes of a ``ModelT``, with byte vectors aligned as the schema requires."""
    builder = _AligningBuilder(1024)
    builder.Finish(model.Pack(builder), b'TFL3')
    return bytes(builder.Output())


class _AligningBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """Aligns byte vectors to 16, which Python's flatbuffers does not do for force_align."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


def add_tensor(
    model: Any,
    name: str,
    dtype: str,
    shape: list[int],
    scale: float,
    zero_point: int,
    content: npt.NDArray[Any] | None = None,
) -> int:
    """Add a tensor to a ``ModelT`` and return its index."""
    data = None if content is None else np.frombuffer(content.tobytes(), np.uint8)
    model.buffers.append(schema.BufferT(data=data))
    quantization = None
    if dtype != 'float32':
        quantization = schema.QuantizationParametersT(
            scale=np.array([scale], np.float32), zeroPoint=np.array([zero_point], np.int64)
        )
    types = {**_TYPES, 'int32': schema.TensorType.INT32}
    tensors = model.subgraphs[0].tensors
    tensors.append(
        schema.TensorT(
            shape=shape,
            type=types[dtype],
            buffer=len(model.buffers) - 1,
            name=name,
            quantization=quantization,
            hasRank=True,
        )
    )
    return len(tensors) - 1


def add_operator(
    model: Any, code: int, inputs: list[int], outputs: list[int], version: int = 1, **fields: Any
) -> None:
    """Add an operator to a ``ModelT``; ``fields`` are more fields of its ``OperatorT``."""
    model.operatorCodes.append(
        schema.OperatorCodeT(
            builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=version
        )
    )
    model.subgraphs[0].operators.append(
        schema.OperatorT(
            opcodeIndex=len(model.operatorCodes) - 1, inputs=inputs, outputs=outputs, **fields
        )
    )


def _add_convolution(
    model: Any, dtype: str, picture: int, shape: list[int], kernel: int, seed: int
) -> int:
    rng = np.random.default_rng(seed)
    dimension = shape[-1]
    weights = rng.normal(0, 3 / kernel, (dimension, kernel, kernel, 3)).astype(np.float32)
    bias = rng.uniform(0, 2, dimension).astype(np.float32)
    _, weights_zero_point, embedding_zero_point, version = _QUANTIZED.get(dtype, (0, 0, 0, 1))
    bias_type, weights_scale = 'float32', 1.0
    if dtype != 'float32':
        weights_scale = float(np.abs(weights).max() / 127)
        weights = np.rint(weights / weights_scale) + weights_zero_point
        bias = np.rint(bias / (INPUT_SCALE * weights_scale)).astype(np.int32)
        bias_type = 'int32'
    inputs = [
        picture,
        add_tensor(
            model,
            'weights',
            dtype,
            list(weights.shape),
            weights_scale,
            weights_zero_point,
            weights.astype(dtype),
        ),
        add_tensor(model, 'bias', bias_type, [dimension], INPUT_SCALE * weights_scale, 0, bias),
    ]
    embedding = add_tensor(model, 'embedding', dtype, shape, EMBEDDING_SCALE, embedding_zero_point)
    add_operator(
        model,
        schema.BuiltinOperator.CONV_2D,
        inputs,
        [embedding],
        version,
        builtinOptionsType=schema.BuiltinOptions.Conv2DOptions,
        builtinOptions=schema.Conv2DOptionsT(
            padding=schema.Padding.VALID,
            strideH=kernel,
            strideW=kernel,
            fusedActivationFunction=schema.ActivationFunctionType.RELU,
        ),
    )
    return embedding
