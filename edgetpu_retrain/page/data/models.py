# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists the model versions of a data folder as values for JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.data_folder import MODELS_FOLDER
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.models.model_version import read_version


def list_models(folder: Path, serving: int) -> dict[str, Any]:
    """
    Return all finished versions, newest first; only their records are read, not the models.

    Args:
        folder: the data folder.
        serving: number of the serving version; 0 = none.

    Returns:
        ``serving``; ``versions``: the undamaged versions; ``damaged``: number and message of each
        version whose record is damaged.

    Raises:
        StoreError: if the folder cannot be read.
    """
    models = folder / MODELS_FOLDER
    found = [_described(models, number, serving) for number in reversed(_numbers(models))]
    return {
        'serving': serving,
        'versions': [each for each in found if each and 'message' not in each],
        'damaged': [each for each in found if each and 'message' in each],
    }


def _numbers(folder: Path) -> tuple[int, ...]:
    # Creating a ModelStore would create a missing folder.
    return ModelStore(folder).versions() if folder.is_dir() else ()


def _described(folder: Path, number: int, serving: int) -> dict[str, Any] | None:
    """Describe a version, or why its record is damaged; return None if it was just deleted."""
    try:
        found = read_version(folder, number)
    except FileNotFoundError:
        return None
    except StoreError as error:
        return {'version': number, 'message': str(error)}
    record = found.record
    return {
        'version': found.version,
        'created': record.created,
        'labels': record.labels,
        'sample_counts': [record.sample_counts[label] for label in record.labels],
        'train_accuracy': record.train_accuracy,
        'validation_accuracy': record.validation_accuracy,
        'quantized_validation_accuracy': record.quantized_validation_accuracy,
        'held_out_unit': record.held_out_unit,
        'confusion_matrix': record.confusion_matrix,
        'seconds': record.seconds,
        'size_bytes': found.path.stat().st_size if found.path.is_file() else 0,
        'serving': found.version == serving,
    }
