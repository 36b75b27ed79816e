# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Prepares a user's .tflite classifier, to classify pictures with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.model_file.choices import (
    check_output_size,
    find_output,
    ModelChoices,
    NO_CHOICES,
    settle,
)
from edgetpu_retrain.model_file.description import output_vector, vector_of
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.tail import find_tail
from edgetpu_retrain.model_file.metadata.labels import assemble, labels_of
from edgetpu_retrain.model_file.metadata.packed_files import read_files
from edgetpu_retrain.model_file.schema import indices


@dataclass(frozen=True)
class ClassifierFile:
    """
    A classifier, ready to be loaded.

    Args:
        model: bytes of a .tflite file; those of the given file if nothing had to be changed.
        labels: the class names, in the order of the outputs.
        gives_logits: whether softmax must be applied to the output.
        notes: messages for the user, one sentence each.
    """

    model: bytes
    labels: tuple[str, ...]
    gives_logits: bool
    notes: tuple[str, ...] = ()


def make_classifier(
    file: bytes, choices: ModelChoices = NO_CHOICES, labels: Sequence[str] = ()
) -> ClassifierFile:
    """
    Prepare a classifier.

    Args:
        file: bytes of the .tflite file.
        choices: the user's choices for it.
        labels: class names that replace those in the file; ``()`` uses those in the file.

    Raises:
        RequestError: if there are no class names, or their number differs from the number of
            classes.
        ModelFileError: if the file is damaged, its input is not a picture, its output is not a
            vector, or a choice does not fit.
    """
    tree, files = parse(file), read_files(file)
    position = find_output(tree, choices.output)
    names = tuple(labels) or labels_of(tree, files, position)
    settled = settle(tree, choices, was_used=lambda: False)
    output = output_vector(tree)
    if settled.was_free:
        check_output_size(tree, output)
    _, classes, _ = vector_of(tree, output)
    if not names:
        raise RequestError(
            f'the model has no names for its {classes} classes: give them with --labels labels.txt'
        )
    if len(names) != classes:
        raise RequestError(
            f'there are {len(names)} labels for the {classes} classes of the model: '
            'give the label file that belongs to it'
        )
    tail = find_tail(tree, output)
    if not tail.gives_probabilities:
        settled.notes.append(
            f'the last layer of the model is {tail.result or tail.before}, which gives no '
            'probabilities, so softmax is applied to its output'
        )
    model = file
    if settled.changed:
        model = assemble(tree, files, names, normalization=settled.normalization)
    return ClassifierFile(model, names, not tail.gives_probabilities, tuple(settled.notes))


def count_classes(file: bytes, choices: ModelChoices = NO_CHOICES) -> int:
    """
    Return the number of classes of a classifier, needed to read its label file.

    Raises:
        ModelFileError: if the file is damaged, its output is not a vector, or a choice does not
            fit.
    """
    tree = parse(file)
    output = indices(tree.subgraphs[0].outputs)[find_output(tree, choices.output)]
    return vector_of(tree, output)[1]
