# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes an embedding extractor of a .tflite file, which may be a classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe, output_vector
from edgetpu_retrain.model_file.flatbuffer import parse, parse_to_read
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.tail import find_tail, Tail
from edgetpu_retrain.model_file.metadata.identity_entry import (
    identity_of,
    read_identity,
    write_identity,
)
from edgetpu_retrain.model_file.metadata.labels import assemble
from edgetpu_retrain.model_file.metadata.packed_files import read_files
from edgetpu_retrain.model_file.metadata.self_description import redirect_signatures
from edgetpu_retrain.model_file.pruning import prune
from edgetpu_retrain.model_file.schema import EDGETPU_CUSTOM_OP, text
import numpy as np


@dataclass(frozen=True)
class ExtractorFile:
    """
    An extractor, ready to be loaded and to get a head.

    Args:
        model: bytes of a .tflite file; those of the given file if nothing had to be changed.
        notes: what was changed, and other facts that the user should know, one sentence each.
    """

    model: bytes
    notes: tuple[str, ...] = ()


def make_extractor(
    file: bytes, *, has_samples: Callable[[str], bool] = lambda _identity: False
) -> ExtractorFile:
    """
    Make an extractor of a model file, and check all that can be known before it runs.

    A classifier is cut: the tensor that goes into its classifying layer becomes the embedding.

    Args:
        file: bytes of the .tflite file.
        has_samples: returns whether there are samples with an identity.  Earlier releases took
            the output of a final fully-connected layer as the embedding: if there are such
            samples, this release does so, too.

    Raises:
        ModelFileError: if the file is damaged, or no extractor can be made of it.
    """
    tree = parse_to_read(file)
    output = output_vector(tree)
    tail = find_tail(tree, output)
    made = ExtractorFile(file)
    if tail.is_classifier and not _was_extractor(tree, tail, file, has_samples):
        made = _cut(file, output, tail)
    description = describe(made.model)
    # Appending a head now shows whatever would prevent it after a training.
    weights = np.zeros((description.dimension, 2), np.float32)
    append_head(made.model, Head(weights, np.zeros(2, np.float32), labels=('a', 'b')))
    return made


def _was_extractor(tree: Any, tail: Tail, file: bytes, has_samples: Callable[[str], bool]) -> bool:
    """Return whether the output is known to be an embedding, although a layer classifies."""
    return not tail.result and bool(read_identity(tree) or has_samples(identity_of(file)))


def _cut(file: bytes, output: int, tail: Tail) -> ExtractorFile:
    if tail.embedding is None:
        if tail.before == EDGETPU_CUSTOM_OP:
            raise ModelFileError(
                'this classifier is compiled for the Edge TPU: its layers are inside the '
                'compiled program, so the embedding cannot be taken out; give the classifier '
                'that is not compiled (the file without _edgetpu)'
            )
        raise ModelFileError(
            f'this model ends in {tail.result} behind {tail.before or "no layer"}, not behind a '
            'fully-connected layer or a 1x1 convolution of pooled features, so there is no '
            'embedding in it; give an image classifier or an embedding extractor'
        )
    tree = parse(file)
    embedding = tree.subgraphs[0].tensors[tail.embedding]
    redirect_signatures(tree, output, tail.embedding, 'embedding')
    prune(tree, tail.embedding)
    write_identity(tree, identity_of(file, (f'embedding is tensor {tail.embedding}',)))
    before = text(tree.description)
    tree.description = 'Embedding extractor by edgetpu_retrain' + (
        f', cut from: {before}' if before else ''
    )
    model = assemble(tree, read_files(file), (), is_extractor=True)
    note = (
        f'the model is a classifier: the input of its last {tail.before} layer, '
        f'{text(embedding.name)!r} with {describe(model).dimension} numbers, is the embedding'
    )
    return ExtractorFile(model, (note,))
