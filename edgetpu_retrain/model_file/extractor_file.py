# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes an embedding extractor from a .tflite file, which may be a classifier."""

from __future__ import annotations

from collections.abc import Callable
import copy
from dataclasses import dataclass
import math
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.choices import (
    find_output,
    ModelChoices,
    NO_CHOICES,
    settle,
)
from edgetpu_retrain.model_file.description import (
    describe,
    output_vector,
    range_choices,
    vector_of,
)
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.new_layers import add_operator
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
from edgetpu_retrain.model_file.schema import (
    EDGETPU_CUSTOM_OP,
    indices,
    load_schema,
    text,
    type_name,
)
import numpy as np


@dataclass(frozen=True)
class ExtractorFile:
    """
    An extractor, ready to be loaded and to have a head appended.

    Args:
        model: bytes of a .tflite file; the given file itself if nothing had to be changed.
        notes: messages for the user about changes and other facts, one sentence each.
    """

    model: bytes
    notes: tuple[str, ...] = ()


def make_extractor(
    file: bytes,
    choices: ModelChoices = NO_CHOICES,
    *,
    has_samples: Callable[[str], bool] = lambda _identity: False,
) -> ExtractorFile:
    """
    Make an extractor from a model file, and check it without running it.

    A classifier is cut: the input of its classifying layer becomes the embedding.  But if no
    softmax or similar layer follows, an output that the user chose is itself the embedding.  The
    user's choices are written into the model, so that they need not be repeated for this model and
    for models that are retrained from it.

    Args:
        file: bytes of the .tflite file.
        choices: the user's choices for the file.
        has_samples: returns whether there are stored samples with a given identity.  Earlier
            releases used the output of a final fully-connected layer as the embedding, and the
            input range -1..1 for every float model.  If there are samples with the identity of
            the file, this release does so, too, so that they stay valid.

    Raises:
        ModelFileError: if the file is damaged, no extractor can be made from it, or a choice is
            missing or does not fit the model.
    """
    tree = parse(file)

    def was_used() -> bool:
        return has_samples(identity_of(file))

    output = indices(tree.subgraphs[0].outputs)[find_output(tree, choices.output)]
    tail = find_tail(tree, output)
    is_cut = tail.is_classifier and not (
        # Without a softmax or similar layer at the end, the output may be meant as the embedding.
        not tail.result and (choices.output or read_identity(tree) or was_used())
    )
    settled = settle(tree, choices, was_used=lambda: not is_cut and was_used())
    if is_cut:
        choice, note = _cut(tree)
        settled.choices.append(choice)
        settled.notes.insert(0, note)
        settled.changed = True
    model = file
    if settled.changed:
        choices_made = (*range_choices(settled.normalization), *settled.choices)
        write_identity(tree, identity_of(file, choices_made))
        model = assemble(
            tree, read_files(file), (), normalization=settled.normalization, is_extractor=True
        )
    # Try to append a head, so that an unsuitable model fails now and not after the first training.
    weights = np.zeros((describe(model).dimension, 2), np.float32)
    append_head(model, Head(weights, np.zeros(2, np.float32), labels=('a', 'b')))
    return ExtractorFile(model, tuple(settled.notes))


def _cut(tree: Any) -> tuple[str, str]:
    """Cut off the classifying layer; return the choice for the identity, and a note for users."""
    tail = find_tail(tree, output_vector(tree))
    if tail.embedding is None:
        if tail.before == EDGETPU_CUSTOM_OP:
            raise ModelFileError(
                'this classifier is compiled for the Edge TPU: its layers are inside the '
                'compiled program, so the embedding cannot be taken out; give the classifier '
                'that is not compiled (the file without _edgetpu)'
            )
        raise ModelFileError(
            f'this model ends in {tail.result} behind {tail.before or "no layer"}'
            f'{" and a pooling layer" if tail.pooling else ""}, not behind a fully-connected '
            'layer or a 1x1 convolution of pooled features, so there is no embedding in it; give '
            'an image classifier or an embedding extractor'
        )
    name = text(tree.subgraphs[0].tensors[tail.embedding].name)
    embedding = _flatten(tree, tail.embedding) if tail.pooling is None else _pool(tree, tail)
    redirect_signatures(tree, output_vector(tree), embedding, 'embedding')
    prune(tree, embedding)
    before = text(tree.description)
    tree.description = 'Embedding extractor by edgetpu_retrain' + (
        f', cut from: {before}' if before else ''
    )
    _, dimension, _ = vector_of(tree, output_vector(tree))
    mean = '' if tail.pooling is None else 'the mean over all positions of '
    return f'embedding is {mean and "the mean of "}tensor {tail.embedding}', (
        f'the model is a classifier: {mean}the input of its last {tail.before} layer, {name!r} '
        f'with {dimension} numbers, is the embedding'
    )


def _flatten(tree: Any, features: int) -> int:
    """Flatten a tensor to a vector, as a fully-connected layer does; return the vector's index."""
    tensor = tree.subgraphs[0].tensors[features]
    shape = indices(tensor.shape)
    if all(size == 1 for size in shape[:-1]):
        return features
    flat = [1, math.prod(shape)]
    vector = _like(tree, tensor, flat)
    options = load_schema().ReshapeOptionsT(newShape=flat)
    add_operator(tree, 'RESHAPE', type_name(tensor), options, [features], vector)
    return vector


def _pool(tree: Any, tail: Tail) -> int:
    """
    Average the input of a classifying convolution instead of its output; return the mean's index.

    Unless an activation follows the 1x1 convolution, averaging before it yields the same scores:
    the mean of its outputs is the convolution of the mean of its inputs.
    """
    graph = tree.subgraphs[0]
    features = graph.tensors[tail.embedding]
    scores = graph.tensors[indices(tail.pooling.outputs)[0]]
    shape = [*indices(scores.shape)[:-1], indices(features.shape)[-1]]
    operator = copy.copy(tail.pooling)
    operator.inputs = [tail.embedding, *indices(operator.inputs)[1:]]
    embedding = _like(tree, features, shape)
    operator.outputs = [embedding]
    graph.operators.append(operator)
    return embedding


def _like(tree: Any, tensor: Any, shape: list[int]) -> int:
    """Add an embedding tensor with a given tensor's type and quantization; return its index."""
    new = copy.copy(tensor)
    new.name, new.shape, new.shapeSignature = 'embedding', shape, None
    tensors = tree.subgraphs[0].tensors
    tensors.append(new)
    return len(tensors) - 1
