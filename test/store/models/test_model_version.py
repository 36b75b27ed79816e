# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from edgetpu_retrain.store.models.model_version import model_path, record_path, version_of_file
import pytest


@pytest.mark.parametrize('version', [1, 999_999, 1_000_000, 999_999_999])
def test_the_files_of_a_version_are_known_by_their_names(version: int) -> None:
    for file in (model_path(Path('/m'), version), record_path(Path('/m'), version)):
        assert version_of_file(file.name) == version


@pytest.mark.parametrize(
    'name',
    [
        'model_1.tflite',
        'model_000001.tflite.bak',
        '.model_000001.tflite.partial',
        'my_model_000001.json',
        'model_1234567890.json',
        'model_٠٠٠٠٠١.json',
        'serving.json',
    ],
)
def test_other_files_are_of_no_version(name: str) -> None:
    assert version_of_file(name) == 0
