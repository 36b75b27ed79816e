# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""model_000001.json: the record beside a model version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import tempfile

from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
from fuzz.json_mutation import mutate_json
from fuzz.small_files import IDENTITY, LABELS
from fuzz.target import each_of, MemoryBudget, MIB, Target

_MODEL = b'bytes of a model'


def _run(data: bytes, folder: Path) -> None:
    (folder / 'model_000001.tflite').write_bytes(_MODEL)
    (folder / 'model_000001.json').write_bytes(data)
    models = ModelStore(folder)
    models.latest()
    models.unusable()
    each_of(lambda: str(models.load(1).record.to_json()))


def _seeds() -> Iterator[bytes]:
    record = ModelRecord(
        labels=LABELS,
        sample_counts=dict.fromkeys(LABELS, 5),
        train_accuracy=1.0,
        validation_accuracy=0.5,
        quantized_validation_accuracy=None,
        confusion_matrix=((1, 0), (0, 1)),
        extractor=IDENTITY,
        seconds=0.5,
        options={'seed': 0, 'learning_rate': 0.1},
        thresholds={'unknown_threshold': 1.0},
        created='2026-11-21T12:00:00+00:00',
    )
    with tempfile.TemporaryDirectory() as folder:
        ModelStore(Path(folder)).save(_MODEL, record)
        yield (Path(folder) / 'model_000001.json').read_bytes()


TARGET = Target(
    run=_run, seeds=_seeds, mutate=mutate_json, memory=MemoryBudget(constant=2 * MIB, per_byte=256)
)
