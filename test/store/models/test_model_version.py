# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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
