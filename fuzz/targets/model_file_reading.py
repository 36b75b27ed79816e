# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A .tflite file: everything that is read from one without a runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.model_file.description import describe, describe_embedding
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
from fuzz.small_files import classifiers, extractors
from fuzz.target import each_of, MemoryBudget, MIB, Target


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'model.tflite'
    path.write_bytes(data)
    each_of(
        lambda: read_model(path),
        lambda: describe(data),
        lambda: describe_embedding(data),
        lambda: read_labels(data),
        lambda: read_head_weights(data),
        lambda: UnknownDetection(data),
    )


def _seeds() -> Iterator[bytes]:
    yield from extractors()
    yield from classifiers()


# 20 000 tables, the most that a file may have, take some 40 MB as Python objects; what is packed
# into a model may unpack to a hundred times its size, and be text.
TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(constant=48 * MIB, per_byte=1024))
