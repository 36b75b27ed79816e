# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Stores a model version that a robot learned from its fleet, beside those of the node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgetpu_retrain.store.files.data_folder import SAMPLES_FILE
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.sample_store import SampleStore


def store_version(
    folder: Path, models: ModelStore, model: bytes, record: ModelRecord, keep_models: int
) -> int:
    """
    Store a version, and delete old versions beyond the number to keep, except the chosen one.

    Args:
        folder: the data folder.
        models: the model versions in the data folder.
        model: bytes of the .tflite file.
        record: the record of the version; ``newest_sample`` is set here.
        keep_models: number of versions to keep; 0 = all.

    Returns:
        The number of the version.

    Raises:
        StoreError: if the disk fails, or samples.db cannot be read.
    """
    # The samples that are stored later, which have larger ids, count as new since this version.
    with SampleStore(folder / SAMPLES_FILE) as store:
        newest = store.list_samples('', 1, extractor=record.extractor)
    record = replace(record, newest_sample=newest[0].sample_id if newest else 0)
    version = models.save(model, record).version
    if keep_models:
        choice = ChoiceFile(models).current()
        # The node serves the chosen version until it has loaded the new one.
        in_use = {version} | ({choice.version} if choice is not None else set())
        models.prune(keep_models, in_use=in_use)
    return version
