# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Parses the bytes of a .tflite file into a tree of objects, and packs a tree into bytes.

The tree is the ``ModelT`` of the schema's object API.  The parser does not trust its input: for a
damaged or hostile file, it raises a ModelFileError after work that is bounded by the file's size.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.schema import indices, load_schema
import flatbuffers
import numpy as np

IDENTIFIER = b'TFL3'
# schema.fbs requires this alignment, in bytes, for buffer data (force_align).  edgetpu_compiler
# also uses it for custom options, which contain the Edge TPU program.
_ALIGNMENT = 16
# Limits of a tree: the number of tables, and the size, which is at most _MAX_GROWTH times the
# file's size plus _ALLOWANCE bytes.  Vectors of a flatbuffer may overlap, so a small file can
# unpack to a huge tree.  Real models have a few thousand tables and no overlap.  The C++ verifier
# of flatbuffers has similar limits.
_MAX_TABLES = 20_000
_MAX_GROWTH = 2
_ALLOWANCE = 65_536
# The vectors of tables in the model and in its subgraph.  Their lengths count towards _MAX_TABLES.
_VECTORS_OF_MODEL = ('OperatorCodes', 'Buffers', 'Metadata', 'SignatureDefs')
_NEWER_VECTORS = ('ExternalBufferGroups', 'ExternalBuffers')
_VECTORS_OF_GRAPH = ('Tensors', 'Operators')
# Estimated size of a file relative to its weights: other data adds 16 % in the default extractor.
# The builder starts with a buffer of the estimated size.  If the buffer is too small, the builder
# copies all data into a larger one.
_DATA_TO_FILE = 1.25


def parse(model: bytes) -> Any:
    """
    Return the tree (``ModelT``) of a model with one subgraph, with all indices validated.

    Args:
        model: the bytes of a .tflite file; data after the flatbuffer is ignored.

    Raises:
        ModelFileError: if the bytes are not an intact TensorFlow Lite model with one subgraph, or
            if packing the tree would lose data.
        DeviceError: if ai-edge-litert is not installed.
    """
    if bytes(model[4:8]) != IDENTIFIER:
        raise ModelFileError(
            f'this is not a TensorFlow Lite model: its {len(model)} bytes lack the mark '
            f"'TFL3' at byte 4 (found {bytes(model[4:8])!r}); give a .tflite file"
        )
    schema = load_schema()
    try:
        _check_extent(model, schema)
        tree = schema.ModelT.InitFromPackedBuf(model, 0)
        _check_indices(tree)
    except (ModelFileError, MemoryError):
        raise
    except Exception as error:
        # The generated readers do not validate their input, so they can raise any exception.
        raise ModelFileError(
            'this TensorFlow Lite model is damaged or cut short '
            f'({len(model)} bytes; {type(error).__name__}: {error}); copy or download it again'
        ) from error
    _check_writable(tree)
    return tree


@lru_cache(maxsize=1)
def parse_to_read(model: bytes) -> Any:
    """
    Return the tree of a model, for callers that do not modify it.

    The last tree is cached, because loading a model needs its tree several times, and parsing
    takes about 30 ms for the default extractor.

    Raises:
        ModelFileError, DeviceError: see :func:`parse`.
    """
    return parse(model)


def pack(tree: Any) -> bytes:
    """Return the bytes of a tree, with byte vectors aligned to 16 bytes as the schema requires."""
    data = sum(len(buffer.data) for buffer in tree.buffers if buffer.data is not None)
    builder = _AligningBuilder(int(_DATA_TO_FILE * data) + _ALLOWANCE)
    builder.Finish(tree.Pack(builder), IDENTIFIER)
    # builder.Output() would copy the model once more.
    head = builder.Head()
    return bytes(memoryview(builder.Bytes)[head:])


class _AligningBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """
    A builder that aligns byte vectors to 16 bytes.

    Unlike the generated C++ code, the generated Python code does not support ``force_align``.
    """

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802
        if elemSize == 1:
            alignment = _ALIGNMENT
        return super().StartVector(elemSize, numElems, alignment)


class _Budget:
    """Limits the number and the size of the objects that a file of a given size may unpack to."""

    def __init__(self, size: int) -> None:
        self._tables = _MAX_TABLES
        self._bytes = _MAX_GROWTH * size + _ALLOWANCE

    def take_tables(self, count: int) -> None:
        self._tables -= count
        if self._tables < 0:
            raise ModelFileError(
                f'this model has more than {_MAX_TABLES} tensors, operators and the like: '
                'it is damaged, or none that this package can handle'
            )

    def take(self, node: Any) -> None:
        """
        Deduct the size of an object and its content.

        Raises:
            ModelFileError: if the objects deducted so far exceed the limit.
        """
        nodes = [node]
        while nodes:
            node = nodes.pop()
            if isinstance(node, (bytes, str)):
                self._bytes -= len(node)
            elif isinstance(node, np.ndarray):
                self._bytes -= node.nbytes
            elif isinstance(node, list):
                nodes.extend(node)
            elif hasattr(node, '__dict__'):
                nodes.extend(vars(node).values())
        if self._bytes < 0:
            raise ModelFileError('this model is damaged: its parts overlap')


def _check_extent(model: bytes, schema: Any) -> None:
    """
    Raise ModelFileError if a file does not have exactly one subgraph, or exceeds the limits.

    Tables are unpacked one at a time, so that a hostile file does not exhaust the memory.
    """
    budget = _Budget(len(model))
    root = schema.Model.GetRootAs(model, 0)
    if root.SubgraphsLength() != 1:
        raise ModelFileError(
            f'this model has {root.SubgraphsLength()} subgraphs; a model with exactly one is '
            'needed (one without control flow and without several entry points)'
        )
    graph = root.Subgraphs(0)
    for owner, vectors in ((root, _VECTORS_OF_MODEL + _NEWER_VECTORS), (graph, _VECTORS_OF_GRAPH)):
        for vector in vectors:
            _take_vector(budget, schema, owner, vector)


def _take_vector(budget: _Budget, schema: Any, owner: Any, vector: str) -> None:
    table = vector.removesuffix('s')
    # Older releases of the schema lack _NEWER_VECTORS; int() then returns 0.
    length = getattr(owner, f'{vector}Length', int)()
    budget.take_tables(length)
    for index in range(length):
        reader = getattr(owner, vector)(index)
        if table == 'SignatureDef':
            budget.take_tables(reader.InputsLength() + reader.OutputsLength())
        elif table == 'Tensor':
            budget.take_tables(reader.VariantTensorsLength())
            if reader.Sparsity() is not None:
                budget.take_tables(reader.Sparsity().DimMetadataLength())
        budget.take(getattr(schema, f'{table}T').InitFromObj(reader))


def _check_indices(tree: Any) -> None:
    """Make absent vectors empty; raise a ModelFileError if an index is out of range."""
    graph = tree.subgraphs[0]
    tree.buffers = tree.buffers or []
    tree.operatorCodes = tree.operatorCodes or []
    graph.tensors = graph.tensors or []
    graph.operators = graph.operators or []
    tensors = len(graph.tensors)
    for operator in graph.operators:
        _check_range('operator code', [operator.opcodeIndex], 0, len(tree.operatorCodes))
        # -1 means an omitted optional tensor.
        _check_range('tensor', indices(operator.inputs), -1, tensors)
        _check_range('tensor', indices(operator.outputs), 0, tensors)
        _check_range('tensor', indices(operator.intermediates), -1, tensors)
    _check_range('tensor', indices(graph.inputs) + indices(graph.outputs), 0, tensors)
    buffers = [tensor.buffer for tensor in graph.tensors]
    buffers += [entry.buffer for entry in tree.metadata or []]
    buffers += indices(tree.metadataBuffer)
    _check_range('buffer', buffers, 0, len(tree.buffers))
    for signature in tree.signatureDefs or []:
        entries = [*(signature.inputs or []), *(signature.outputs or [])]
        _check_range('tensor', [entry.tensorIndex for entry in entries], 0, tensors)


def _check_range(name: str, found: list[int], lowest: int, end: int) -> None:
    for index in found:
        if not lowest <= index < end:
            raise ModelFileError(
                f'this model is damaged: it refers to {name} {index}, and there are {end}'
            )


def _check_writable(tree: Any) -> None:
    """Raise a ModelFileError if packing the tree would lose data."""
    outside = [buffer.offset > 1 for buffer in tree.buffers]
    newer = []
    for operator in tree.subgraphs[0].operators:
        outside.append(operator.largeCustomOptionsOffset > 1)
        newer.append(operator.builtinOptionsType != 0 and operator.builtinOptions is None)
        newer.append(operator.builtinOptions2Type != 0 and operator.builtinOptions2 is None)
    for tensor in tree.subgraphs[0].tensors:
        details = tensor.quantization
        newer.append(details is not None and details.detailsType != 0 and details.details is None)
    if any(outside) or getattr(tree, 'externalBuffers', None):
        raise ModelFileError(
            'this model keeps data outside its flatbuffer, as models of more than 2 GB do; '
            'convert it to a plain .tflite file'
        )
    if any(newer):
        raise ModelFileError(
            'this model has options that the installed ai-edge-litert does not know; '
            'upgrade it with: python3 -m pip install --upgrade ai-edge-litert'
        )
