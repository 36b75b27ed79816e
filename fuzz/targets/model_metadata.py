# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""TFLite Metadata in a model, and the files that are packed behind one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.model_file.metadata.packed_files import append_files, read_files
from edgetpu_retrain.model_file.metadata.records import Metadata, read_metadata, write_metadata
from edgetpu_retrain.model_file.normalization import MINUS_1_TO_1, Normalization
from fuzz.target import each_of, MemoryBudget, MIB, Target


def _run(data: bytes, _folder: Path) -> None:
    each_of(lambda: read_metadata(data), lambda: read_files(data))


def _seeds() -> Iterator[bytes]:
    metadata = Metadata('somebody', 'Apache-2.0', 'labels.txt', (), ('licence.txt',), MINUS_1_TO_1)
    yield write_metadata(metadata, 'A model.')
    for wrong in (Normalization((0.0,), (0.2,)), Normalization((127.5,), (1.0,))):
        yield write_metadata(Metadata(normalization=wrong), 'A model.')
    yield append_files(b'a model', {'labels.txt': b'daisy\nrose\n', 'licence.txt': b'Free.'})


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(constant=2 * MIB, per_byte=1024))
