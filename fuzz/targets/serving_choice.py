# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""serving.json and the counter of versions in a folder of models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
from fuzz.json_mutation import mutate_json
from fuzz.small_files import IDENTITY, LABELS
from fuzz.target import each_of, MemoryBudget, MIB, Target

_RECORD = ModelRecord(
    labels=LABELS,
    sample_counts=dict.fromkeys(LABELS, 5),
    train_accuracy=1.0,
    validation_accuracy=None,
    quantized_validation_accuracy=None,
    confusion_matrix=((1, 0), (0, 1)),
    extractor=IDENTITY,
    seconds=0.5,
)


def _run(data: bytes, folder: Path) -> None:
    (folder / 'serving.json').write_bytes(data)
    (folder / 'highest_version').write_bytes(data)
    models = ModelStore(folder)
    choice = ChoiceFile(models)

    def save() -> None:
        version = models.save(b'bytes of a model', _RECORD).version
        assert models.load(version).version == version

    def choose() -> None:
        # It becomes the int32 of a message.
        assert 0 < choice.choose(1).swaps < 2**31

    each_of(save, choice.current, choice.versions_to_try, choose)


def _seeds() -> Iterator[bytes]:
    yield b'{"format": 1, "version": 1, "swaps": 3, "newest": 2}\n'
    yield b'12\n'
    yield b'999999999\n'


TARGET = Target(
    run=_run, seeds=_seeds, mutate=mutate_json, max_bytes=8192, memory=MemoryBudget(2 * MIB, 256)
)
