# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Applies a user's choices (input range, input size and output) to a model file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import re
from typing import Any

from edgetpu_retrain.errors import ModelFileError, RequestError
from edgetpu_retrain.model_file.description import describe_input, metadata_of
from edgetpu_retrain.model_file.normalization import HOW_TO_STATE, MINUS_1_TO_1, Normalization
from edgetpu_retrain.model_file.pruning import prune
from edgetpu_retrain.model_file.schema import indices, text, type_name

MAX_INPUT_SIDE = 4096
"""Maximum height and width that a user can choose, in pixels: 200 MB for a float32 input."""

_SIZE = re.compile(r'(\d{1,9})(?:\s*[xX*, ]\s*(\d{1,9}))?', re.ASCII)


@dataclass(frozen=True)
class ModelChoices:
    """
    A user's choices for a model file.

    Args:
        input_range: normalization of a float32 input; None = as the file states.
        input_size: height and width, in pixels, of an input whose size the file leaves free; None
            = as the file states.
        output: name or number of the output; '' = the only output.
    """

    input_range: Normalization | None = None
    input_size: tuple[int, int] | None = None
    output: str = ''


NO_CHOICES = ModelChoices()


def read_input_size(value: str) -> tuple[int, int] | None:
    """
    Return height and width from text such as '224' or '320x240' (width x height); None if blank.

    Raises:
        RequestError: if the text is not a size, or a side is not 2 to ``MAX_INPUT_SIDE``.
    """
    if not value.strip():
        return None
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise RequestError(f'the input size {value!r} is not valid: give 224 or 320x240')
    width, height = int(match[1]), int(match[2] or match[1])
    if not (1 < width <= MAX_INPUT_SIDE and 1 < height <= MAX_INPUT_SIDE):
        raise RequestError(f'the input size {value!r} is not 2 to {MAX_INPUT_SIDE} a side')
    return height, width


def find_output(tree: Any, chosen: str) -> int:
    """
    Return the number, from 0, of the chosen output.

    Args:
        tree: the ``ModelT`` of the model.
        chosen: the output's number, the name of its tensor, or its name in a signature; '' = the
            only output.  A number takes precedence over a name.

    Raises:
        ModelFileError: if no output has this number, and not exactly one has this name, or if none
            is chosen and the model does not have exactly one.
    """
    graph = tree.subgraphs[0]
    outputs = indices(graph.outputs)
    if not chosen and len(outputs) == 1:
        return 0
    if chosen in map(str, range(len(outputs))):
        return int(chosen)
    names = [{text(graph.tensors[at].name)} for at in outputs]
    for signature in tree.signatureDefs or []:
        for entry in signature.outputs or []:
            if entry.tensorIndex in outputs:
                names[outputs.index(entry.tensorIndex)].add(text(entry.name))
    found = [number for number, each in enumerate(names) if chosen and chosen in each]
    if len(found) == 1:
        return found[0]
    tensors = [graph.tensors[at] for at in outputs]
    listed = ', '.join(
        f'{number} {text(tensor.name)!r} ({type_name(tensor)} {indices(tensor.shape)})'
        for number, tensor in enumerate(tensors)
        if number in found or not found
    )
    if found:
        raise ModelFileError(
            f'this model has {len(found)} outputs {chosen!r}: choose one by its number with '
            f'model_output (--model-output); they are: {listed}'
        )
    problem = f'no output {chosen!r}' if chosen else f'{len(outputs)} outputs'
    raise ModelFileError(
        f'this model has {problem}: name one with model_output (--model-output), its name or '
        f'number; there are: {listed or "none"}'
    )


@dataclass
class Settled:
    """
    The result of applying a user's choices to a model file.

    Args:
        normalization: the normalization of the input; None if the input is quantized.
        changed: whether the model or its metadata must be rewritten.
        choices: the output and the input size that were applied, as part of an extractor's
            identity; for the range, see ``range_choices`` in description.py.
        notes: messages for the user, one sentence each.
    """

    normalization: Normalization | None = None
    changed: bool = False
    choices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def settle(tree: Any, chosen: ModelChoices, was_used: Callable[[], bool]) -> Settled:
    """
    Apply a user's choices to a model, in place.

    Args:
        tree: the ``ModelT`` of the model.
        chosen: the choices.
        was_used: returns whether there are samples of this model from an earlier release.  Earlier
            releases used the range -1..1 for every float model, so that range is then used
            unless the user chooses another one.

    Raises:
        ModelFileError: if a required property is neither stated nor chosen, or if a choice does
            not fit the model.
    """
    settled = Settled()
    graph = tree.subgraphs[0]
    if len(indices(graph.outputs)) > 1 or chosen.output:
        output = indices(graph.outputs)[find_output(tree, chosen.output)]
        if len(indices(graph.outputs)) > 1:
            settled.choices.append(f'output is tensor {output}')
            settled.changed = True
            prune(tree, output)
    _settle_size(tree, chosen.input_size, settled)
    _settle_range(tree, chosen.input_range, was_used, settled)
    return settled


def _settle_size(tree: Any, chosen: tuple[int, int] | None, settled: Settled) -> None:
    graph = tree.subgraphs[0]
    inputs = indices(graph.inputs)
    tensor = graph.tensors[inputs[0]] if len(inputs) == 1 else None
    shape = [] if tensor is None else indices(tensor.shape)
    if tensor is None or len(shape) != 4:
        return  # _settle_range raises an error for such an input.
    signature = indices(tensor.shapeSignature) or shape
    free = min(shape[1:3]) <= 1
    stated = metadata_of(tree).image_size if free else None
    size = chosen or stated
    if size is None and free:
        _check_output_size(tree)
    if size is None or list(size) == shape[1:3]:
        return
    if stated not in (None, size):
        settled.notes.append(
            f'input_size {_in_words(size)} is used, although the file states {_in_words(stated)}'
        )
    if not free and min(signature[1:3]) > 0:
        settled.notes.append(
            f'input_size is not used: the input has the size {shape[2]}x{shape[1]}'
        )
        return
    # Set only this shape: the runtime computes the shapes of all other tensors from it.
    tensor.shape, tensor.shapeSignature = [1, *size, 3], None
    settled.changed = True
    settled.choices.append(f'input size {_in_words(size)}')


def _check_output_size(tree: Any) -> None:
    """Raise a ModelFileError if the size of the output depends on the size of the input."""
    graph = tree.subgraphs[0]
    for tensor in (graph.tensors[index] for index in indices(graph.outputs)):
        signature = indices(tensor.shapeSignature)
        if min(signature[1:], default=1) < 0:
            raise ModelFileError(
                f'the output {text(tensor.name)!r} is no vector: its size, {signature}, changes '
                'with that of the picture, because the model has no global pooling layer; give a '
                'model that has one, or an input_size (--input-size) at which the output has one '
                'position'
            )


def _in_words(size: tuple[int, int] | None) -> str:
    return '' if size is None else f'{size[1]}x{size[0]}'


def _settle_range(
    tree: Any, chosen: Normalization | None, was_used: Callable[[], bool], settled: Settled
) -> None:
    _, dtype = describe_input(tree)
    if dtype != 'float32':
        if chosen is not None:
            settled.notes.append(
                f'input_range is not used: the input is of type {dtype}, so its scale and zero '
                'point apply'
            )
        return
    metadata = metadata_of(tree)
    stated, problem = metadata.normalization, metadata.normalization_problem
    states = 'the file states none' if stated is None else f'the file states {stated}'
    if problem:
        states += f' ({problem})'
    if chosen is not None:
        settled.normalization = chosen
        if stated not in (None, chosen):
            settled.notes.append(f'input_range {chosen} is used, although {states}')
    elif stated != MINUS_1_TO_1 and was_used():
        settled.normalization = MINUS_1_TO_1
        settled.notes.append(
            f'the input range stays -1..1, with which an earlier release made samples in this '
            f'data folder; {states}, and input_range can choose another one'
        )
    elif stated is None:
        name = text(tree.subgraphs[0].tensors[indices(tree.subgraphs[0].inputs)[0]].name)
        raise ModelFileError(
            f'the model does not state the range of its float32 input {name!r}'
            f'{f" ({problem})" if problem else ""}: give it with input_range (--input-range), as '
            f'the model was trained; {HOW_TO_STATE}'
        )
    else:
        settled.normalization = stated
        if problem:
            settled.notes.append(f'{states}; input_range can choose another range')
    # If the file does not state, or misstates, the normalization that is used, rewrite the file.
    settled.changed |= settled.normalization != stated or bool(problem)
