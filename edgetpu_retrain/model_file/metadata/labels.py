# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads and writes the class names in a model file, as TFLite Metadata.

The names are the lines of ``labels.txt``.  This file is packed into the model, and the metadata
states that it contains the labels of the output.  A retrained model is therefore a single,
self-describing file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.description import metadata_of, output_vector, vector_of
from edgetpu_retrain.model_file.flatbuffer import pack, parse_to_read
from edgetpu_retrain.model_file.metadata import records, self_description
from edgetpu_retrain.model_file.metadata.packed_files import append_files, read_files
from edgetpu_retrain.model_file.normalization import Normalization
from edgetpu_retrain.model_file.schema import indices, text

LABELS_FILE = 'labels.txt'


def read_labels(model: bytes) -> tuple[str, ...]:
    """
    Return the class names that are packed into a model, in output order.

    Args:
        model: the bytes of a .tflite file.  If its metadata names no label file, labels are read
            from the packed ``labels.txt``.  If there is none, they are read from the only packed
            .txt file with 'label' in its name, as in Coral's classifiers.

    Returns:
        One name per class, or () if the model has no labels.

    Raises:
        ModelFileError: if the model is damaged or its labels do not match its output.
    """
    return labels_of(parse_to_read(model), read_files(model))


def labels_of(tree: Any, files: dict[str, bytes], output: int | None = None) -> tuple[str, ...]:
    """
    Return the class names of an output; see :func:`read_labels`.

    Args:
        tree: the ``ModelT`` of the model.
        files: the files that are packed into the model, by name.
        output: number of the output; None = the only output.
    """
    metadata = self_description.content_of(tree, records.METADATA_NAME)
    name = records.read_metadata(metadata, output).labels_file if metadata is not None else ''
    if name and name not in files:
        raise ModelFileError(
            f'the metadata of this model names the label file {name!r}, but the model has '
            f'{"only " + ", ".join(files) if files else "no files"} packed into it; '
            'it was cut short, so copy or download it again, or give the labels with --labels'
        )
    if not name:
        found = [LABELS_FILE] if LABELS_FILE in files else list(filter(_is_label_file, files))
        if len(found) != 1:
            return ()
        name = found[0]
    try:
        # Some editors write a byte-order mark.
        lines = files[name].decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ModelFileError(
            f'{name!r}, packed into this model, is no UTF-8 text ({error}): give the labels with '
            '--labels'
        ) from error
    if not lines:
        return ()
    lines = lines.removesuffix('\n')
    tensor = output_vector(tree) if output is None else indices(tree.subgraphs[0].outputs)[output]
    classes = vector_of(tree, tensor)[1]
    # Count before splitting: line breaks compress so well that a small file can have millions.
    count = lines.count('\n') + 1
    if count > classes:
        # Some editors also write empty lines at the end.
        lines = lines.rstrip('\r\n')
        count = lines.count('\n') + 1
    # A binary classifier with two labels may have a single score.
    if count != classes and (count, classes) != (2, 1):
        raise ModelFileError(
            f'{name!r}, packed into this model, has {count} labels for {classes} classes; '
            'train the model again, or give the right ones with --labels'
        )
    # splitlines() would also split at characters that are valid in a label.
    labels = lines.split('\n')
    return tuple(label.removesuffix('\r') for label in labels)


def assemble(
    tree: Any,
    files: dict[str, bytes],
    labels: Sequence[str],
    *,
    normalization: Normalization | None = None,
    is_extractor: bool = False,
) -> bytes:
    """
    Return the bytes of a model with new metadata, class names and packed files.

    Args:
        tree: the ``ModelT`` of the model; its metadata is still that of the original model.
        files: the packed files of the original model, by name.  Files that describe an output are
            removed; others, such as a licence, are kept.
        labels: class names in output order, or ().
        normalization: the normalization of a float input; None = as the metadata states.
        is_extractor: whether the output is an embedding; otherwise it is class scores.

    Raises:
        ModelFileError: if the metadata of the original model is damaged, or if a label contains a
            line break or NUL, or cannot be encoded in UTF-8.
    """
    old = metadata_of(tree)
    packed = {
        name: data
        for name, data in files.items()
        if name not in old.output_files and not _is_label_file(name)
    }
    new = records.Metadata(
        author=old.author,
        licence=old.licence,
        labels_file=LABELS_FILE if labels else '',
        other_files=tuple(packed),
        normalization=normalization or old.normalization,
    )
    if labels:
        packed[LABELS_FILE] = _encode(labels)
    if new == records.Metadata():
        self_description.drop_content(tree, records.METADATA_NAME)
    else:
        content = records.write_metadata(new, text(tree.description), is_extractor=is_extractor)
        self_description.set_content(tree, records.METADATA_NAME, content)
    return append_files(pack(tree), packed)


def _encode(labels: Sequence[str]) -> bytes:
    for label in labels:
        if '\n' in label or '\r' in label:
            raise ModelFileError(
                f'the label {label!r} holds a line break; a label is one line of text'
            )
        if '\0' in label:
            raise ModelFileError(f'the label {label!r} holds a NUL character; remove it')
    try:
        return ''.join(f'{label}\n' for label in labels).encode()
    except UnicodeEncodeError as error:
        raise ModelFileError(
            f'a label holds {error.object[error.start]!r}, which is half a character: {error}'
        ) from error


def _is_label_file(name: str) -> bool:
    return name.lower().endswith('.txt') and 'label' in name.lower()
