# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads and writes the TFLite Metadata table, which describes a model's inputs and outputs to tools.

The table is a separate flatbuffer in the model's metadata buffer ``TFLITE_METADATA``.  Its schema
is ``metadata_schema.fbs`` of https://github.com/tensorflow/tflite-support (version 1.5.0).

This module uses the flatbuffers package to read and write the few tables that it needs, because
tflite-support is no longer maintained and has no wheels for Python 3.12.  mediapipe has the same
code, but is a wheel of about 40 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
import struct
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.normalization import is_of_fractions, Normalization
import flatbuffers
from flatbuffers import encode, number_types, packer
from flatbuffers.table import Table
import numpy as np

METADATA_NAME = 'TFLITE_METADATA'
_IDENTIFIER = b'M001'
# Version 1.0.0 of the schema already has all fields that are written.
_MIN_PARSER_VERSION = '1.0.0'
# Values of the schema's enumerations and union types.
_TENSOR_AXIS_LABELS = 2
_FEATURE_PROPERTIES = 1
_IMAGE_PROPERTIES = 2
_RGB = 1
_NORMALIZATION_OPTIONS = 1
# Maximum length of a vector.  Real metadata names a handful of files.
_MAX_ENTRIES = 1000


# Field numbers: the fields of each table up to the last field in use, in the order of the schema.
_Model = IntEnum(
    '_Model', 'NAME DESCRIPTION VERSION SUBGRAPHS AUTHOR LICENSE FILES MIN_PARSER_VERSION', start=0
)
_SubGraph = IntEnum('_SubGraph', 'NAME DESCRIPTION INPUTS OUTPUTS', start=0)
_Tensor = IntEnum(
    '_Tensor', 'NAME DESCRIPTION DIMENSION_NAMES CONTENT PROCESS_UNITS STATS FILES', start=0
)
_File = IntEnum('_File', 'NAME DESCRIPTION TYPE', start=0)
# The first two fields of Content and of ProcessUnit are the type and the value of a union.
_Union = IntEnum('_Union', 'TYPE VALUE', start=0)
_Image = IntEnum('_Image', 'COLOR_SPACE DEFAULT_SIZE', start=0)
_Size = IntEnum('_Size', 'WIDTH HEIGHT', start=0)
_Normalization = IntEnum('_Normalization', 'MEAN STD', start=0)


@dataclass(frozen=True)
class Metadata:
    """
    The parts of a model's metadata that this package reads and writes.

    Args:
        author: author of the model or, if it is retrained, of its extractor; '' = not stated.
        licence: licence of the model or, if it is retrained, of its extractor; '' = not stated.
        labels_file: name of the packed file with one class name per line, or ''.
        output_files: names of all packed files that describe an output.
        other_files: names of the other packed files.
        normalization: the normalization of the input picture; None if no valid one is stated.
        normalization_problem: what is wrong with the stated normalization; '' if nothing is wrong.
        image_size: height and width of the input picture in pixels; None if none is stated.
    """

    author: str = ''
    licence: str = ''
    labels_file: str = ''
    output_files: tuple[str, ...] = ()
    other_files: tuple[str, ...] = ()
    normalization: Normalization | None = None
    normalization_problem: str = ''
    image_size: tuple[int, int] | None = None


def read_metadata(content: bytes, output: int | None = None) -> Metadata:
    """
    Read the content of a TFLITE_METADATA buffer.

    Args:
        content: the bytes of the buffer.
        output: number of the output whose label file to return; None = the first output with a
            label file.

    Raises:
        ModelFileError: if the content is damaged.
    """
    try:
        if content[4:8] != _IDENTIFIER:
            raise ValueError(f'it lacks the mark {_IDENTIFIER!r}')
        start = encode.Get(packer.uoffset, content, 0)
        model = Table(content, start)
        graphs = _tables(model, _Model.SUBGRAPHS)[:1]
        inputs = [tensor for graph in graphs for tensor in _tables(graph, _SubGraph.INPUTS)[:1]]
        outputs = [
            (number, file)
            for graph in graphs
            for number, tensor in enumerate(_tables(graph, _SubGraph.OUTPUTS))
            for file in _tables(tensor, _Tensor.FILES)
        ]
        labels = [
            file
            for number, file in outputs
            if _byte(file, _File.TYPE) == _TENSOR_AXIS_LABELS and output in (None, number)
        ]
        normalization, problem = _normalization(inputs[0]) if inputs else (None, '')
        return Metadata(
            author=_string(model, _Model.AUTHOR),
            licence=_string(model, _Model.LICENSE),
            labels_file=_string(labels[0], _File.NAME) if labels else '',
            output_files=tuple(_string(file, _File.NAME) for _, file in outputs),
            other_files=tuple(_string(file, _File.NAME) for file in _tables(model, _Model.FILES)),
            normalization=normalization,
            normalization_problem=problem,
            image_size=_image_size(inputs[0]) if inputs else None,
        )
    except (ValueError, TypeError, IndexError, struct.error) as error:
        raise ModelFileError(
            f"the model's own metadata ({METADATA_NAME}) is damaged ({error}); "
            'copy or download the model again'
        ) from error


def write_metadata(metadata: Metadata, description: str, *, is_extractor: bool = False) -> bytes:
    """
    Return the content of the TFLITE_METADATA buffer of a model.

    Args:
        metadata: the metadata to write; ``output_files``, ``image_size`` and
            ``normalization_problem`` are not written.
        description: one sentence about the model.
        is_extractor: whether the output is an embedding; otherwise it is class scores.
    """
    image: dict[int, Any] = {
        _Tensor.NAME: 'image',
        _Tensor.DESCRIPTION: 'RGB picture.',
        _Tensor.CONTENT: {0: _IMAGE_PROPERTIES, 1: {0: _RGB}},
    }
    if metadata.normalization is not None:
        mean, std = metadata.normalization.mean, metadata.normalization.std
        options = {_Normalization.MEAN: _floats(*mean), _Normalization.STD: _floats(*std)}
        unit = {_Union.TYPE: _NORMALIZATION_OPTIONS, _Union.VALUE: options}
        image[_Tensor.PROCESS_UNITS] = [unit]
    output: dict[int, Any] = {
        _Tensor.NAME: 'embedding' if is_extractor else 'scores',
        _Tensor.DESCRIPTION: 'Embedding.' if is_extractor else 'Probability of each class.',
        _Tensor.CONTENT: {0: _FEATURE_PROPERTIES, 1: {}},
    }
    if not is_extractor:
        output[_Tensor.STATS] = {0: _floats(1), 1: _floats(0)}
    if metadata.labels_file:
        output[_Tensor.FILES] = [
            {
                _File.NAME: metadata.labels_file,
                _File.DESCRIPTION: 'Names of the classes, one a line.',
                _File.TYPE: _TENSOR_AXIS_LABELS,
            }
        ]
    model = {
        _Model.NAME: 'Embedding extractor' if is_extractor else 'Image classifier',
        _Model.DESCRIPTION: description,
        _Model.SUBGRAPHS: [{_SubGraph.INPUTS: [image], _SubGraph.OUTPUTS: [output]}],
        _Model.AUTHOR: metadata.author,
        _Model.LICENSE: metadata.licence,
        _Model.FILES: [{_File.NAME: name} for name in metadata.other_files],
        _Model.MIN_PARSER_VERSION: _MIN_PARSER_VERSION,
    }
    builder = flatbuffers.Builder(1024)
    builder.Finish(_write(builder, model), _IDENTIFIER)
    return bytes(builder.Output())


def _floats(*values: float) -> FloatArray:
    return np.array(values, np.float32)


def _write(builder: Any, value: Any) -> Any:
    """Write a string, a vector, or a table (a dict of fields by number); return its offset."""
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, Sequence):
        offsets = [_write(builder, entry) for entry in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()
    # Everything that a table refers to must be written before the table.
    present = {
        field: entry if isinstance(entry, int) else _write(builder, entry)
        for field, entry in value.items()
        if not (isinstance(entry, (str, list)) and not entry)
    }
    builder.StartObject(max(present, default=-1) + 1)
    for field, entry in present.items():
        if isinstance(value[field], int):
            builder.PrependInt8Slot(field, entry, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(field, entry, 0)
    return builder.EndObject()


def _offset(table: Any, field: int) -> int:
    # The first two entries of a vtable are sizes.  Each entry has two bytes.
    return int(table.Offset(4 + 2 * field))


def _string(table: Any, field: int) -> str:
    offset = _offset(table, field)
    return table.String(offset + table.Pos).decode() if offset else ''


def _byte(table: Any, field: int) -> int:
    offset = _offset(table, field)
    return int(table.Get(number_types.Int8Flags, offset + table.Pos)) if offset else 0


def _normalization(tensor: Any) -> tuple[Normalization | None, str]:
    """Return the normalization in a tensor's metadata, if any, and what is wrong with it."""
    for unit in _tables(tensor, _Tensor.PROCESS_UNITS):
        options = _table(unit, _Union.VALUE)
        if _byte(unit, _Union.TYPE) == _NORMALIZATION_OPTIONS and options is not None:
            mean = _numbers(options, _Normalization.MEAN)
            std = _numbers(options, _Normalization.STD)
            # Some files exchange mean and standard deviation.  A standard deviation of 0, which is
            # not valid, shows this.
            exchanged = any(mean) and not any(std)
            if exchanged:
                mean, std = std, mean
            of_fractions = is_of_fractions(std)
            if of_fractions:
                mean, std = (tuple(255 * value for value in numbers) for numbers in (mean, std))
            try:
                stated = Normalization(mean, std)
            except ValueError as error:
                return None, str(error)
            if of_fractions:
                return stated, 'its mean and standard deviation are for pixels from 0 to 1'
            return stated, 'its mean and standard deviation are exchanged' if exchanged else ''
    return None, ''


def _image_size(tensor: Any) -> tuple[int, int] | None:
    """Return height and width in an input tensor's metadata; None unless both are stated."""
    content = _table(tensor, _Tensor.CONTENT)
    if content is None or _byte(content, _Union.TYPE) != _IMAGE_PROPERTIES:
        return None
    image = _table(content, _Union.VALUE)
    size = None if image is None else _table(image, _Image.DEFAULT_SIZE)
    if size is None:
        return None
    height, width = _unsigned(size, _Size.HEIGHT), _unsigned(size, _Size.WIDTH)
    return (height, width) if height and width else None


def _unsigned(table: Any, field: int) -> int:
    offset = _offset(table, field)
    return int(table.Get(number_types.Uint32Flags, offset + table.Pos)) if offset else 0


def _numbers(table: Any, field: int) -> tuple[float, ...]:
    offset = _offset(table, field)
    if not offset:
        return ()
    length, start = table.VectorLen(offset), table.Vector(offset)
    if length > _MAX_ENTRIES:
        raise ValueError(f'it has a list of {length} numbers')
    return tuple(
        float(table.Get(number_types.Float32Flags, start + 4 * index)) for index in range(length)
    )


def _table(table: Any, field: int) -> Any:
    """Return the table that a field refers to, or None."""
    offset = _offset(table, field)
    return Table(table.Bytes, table.Indirect(offset + table.Pos)) if offset else None


def _tables(table: Any, field: int) -> list[Any]:
    offset = _offset(table, field)
    if not offset:
        return []
    length = table.VectorLen(offset)
    if length > _MAX_ENTRIES:
        raise ValueError(f'it has a list of {length} entries')
    start = table.Vector(offset)
    return [Table(table.Bytes, table.Indirect(start + 4 * index)) for index in range(length)]
