# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Prepares a user's .tflite classifier, to classify pictures with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgetpu_retrain.errors import ModelFileError, RequestError
from edgetpu_retrain.model_file.choices import find_output, ModelChoices, NO_CHOICES, settle
from edgetpu_retrain.model_file.description import output_vector, vector_of
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.tail import find_tail
from edgetpu_retrain.model_file.metadata.labels import assemble, labels_of
from edgetpu_retrain.model_file.metadata.packed_files import read_files


@dataclass(frozen=True)
class ClassifierFile:
    """
    A classifier, ready to be loaded.

    Args:
        model: bytes of a .tflite file; the given file itself if nothing had to be changed.
        labels: the class names, in output order.
        gives_logits: whether softmax must be applied to the output, or the logistic function if
            the model is binary.
        is_binary: whether the output is one number, the score of the second of two classes.
        notes: messages for the user, one sentence each.
    """

    model: bytes
    labels: tuple[str, ...]
    gives_logits: bool
    is_binary: bool = False
    notes: tuple[str, ...] = ()


def make_classifier(
    file: bytes, choices: ModelChoices = NO_CHOICES, labels: Sequence[str] = ()
) -> ClassifierFile:
    """
    Prepare a classifier file for loading.

    Args:
        file: bytes of the .tflite file.
        choices: the user's choices for the file.
        labels: class names that replace those in the file; ``()`` uses those in the file.

    Raises:
        RequestError: if there are no class names, or the number of ``labels`` differs from the
            number of classes.
        ModelFileError: if the file is damaged, its own class names do not match its output, its
            input is not a picture, its output is not a vector of class scores, or a choice is
            missing or does not fit the model.
    """
    classes = count_classes(file, choices)
    tree, files = parse(file), read_files(file)
    names = tuple(labels) or labels_of(tree, files, find_output(tree, choices.output))
    settled = settle(tree, choices, was_used=lambda: False)
    if not names:
        raise RequestError(
            f'the model has no names for its {classes} classes: give them with --labels labels.txt'
        )
    if len(names) != classes:
        raise RequestError(
            f'there are {len(names)} labels for the {classes} classes of the model: '
            'give the label file that belongs to it'
        )
    tail = find_tail(tree, output_vector(tree))
    is_binary = vector_of(tree, output_vector(tree))[1] == 1
    if is_binary:
        settled.notes.append(
            f'the model has one output: it is the probability of {names[1]!r}, and the rest that '
            f'of {names[0]!r}'
        )
    elif not tail.gives_probabilities:
        settled.notes.append(
            f'the last layer of the model is {tail.result or tail.before}, which gives no '
            'probabilities, so softmax is applied to its output'
        )
    model = file
    if settled.changed:
        model = assemble(tree, files, names, normalization=settled.normalization)
    gives_logits = not tail.gives_probabilities
    return ClassifierFile(model, names, gives_logits, is_binary, tuple(settled.notes))


def count_classes(file: bytes, choices: ModelChoices = NO_CHOICES) -> int:
    """
    Return the number of classes of a classifier, which is needed to read its label file.

    Raises:
        ModelFileError: if the file is damaged, its input is not a picture, its output is not a
            vector of class scores, or a choice is missing or does not fit the model.
    """
    tree = parse(file)
    settle(tree, choices, was_used=lambda: False)
    output = output_vector(tree)
    tail = find_tail(tree, output)
    if not tail.gives_scores:
        raise ModelFileError(
            f'this model ends in {tail.result}, so its output is no score for each class: give a '
            'classifier without this layer'
        )
    # A single number distinguishes two classes.
    return max(vector_of(tree, output)[1], 2)
