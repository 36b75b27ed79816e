# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A .tflite file: everything that is made from one; what is written has to be readable again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.model_file.choices import ModelChoices
from edgetpu_retrain.model_file.classifier_file import make_classifier
from edgetpu_retrain.model_file.description import describe, describe_embedding
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.cut_head import cut_head
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.model_file.metadata.labels import assemble, read_labels
from edgetpu_retrain.model_file.metadata.packed_files import read_files
from edgetpu_retrain.model_file.normalization import MINUS_1_TO_1
from fuzz.small_files import classifiers, extractors, head_of, LABELS
from fuzz.target import BrokenPromiseError, each_of, MemoryBudget, MIB, Target

_MOST_NUMBERS = 64
_CHOICES = ModelChoices(MINUS_1_TO_1, (2, 3), '0')


def _run(data: bytes, _folder: Path) -> None:
    each_of(
        lambda: _append(data),
        lambda: _reads(parse, cut_head(data)),
        lambda: _reads(parse, expose_embedding(data)),
        lambda: _reads(describe, make_extractor(data, _CHOICES).model),
        lambda: _reads(describe, make_classifier(data, _CHOICES).model),
        lambda: _reads(read_labels, assemble(parse(data), read_files(data), ())),
    )


def _append(data: bytes) -> None:
    description = describe(data)
    if description.dimension > _MOST_NUMBERS:
        return
    model = append_head(data, head_of(description.dimension))
    _reads(describe, model)
    _reads(describe_embedding, model)
    if _reads(read_labels, model) != LABELS:
        raise BrokenPromiseError('the labels did not survive')


def _reads(read: object, model: bytes) -> object:
    assert callable(read)
    try:
        return read(model)
    except RetrainError as error:
        raise BrokenPromiseError(f'what was written cannot be read: {error}') from error


def _seeds() -> Iterator[bytes]:
    yield from extractors()
    yield from classifiers()


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(constant=96 * MIB, per_byte=1024))
