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
"""TFLite Metadata in a model, and the files that are packed behind one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.model_file.metadata.packed_files import append_files, read_files
from edgetpu_retrain.model_file.metadata.records import Metadata, read_metadata, write_metadata
from target import each_of, MemoryBudget, MIB, Target


def _run(data: bytes, _folder: Path) -> None:
    each_of(lambda: read_metadata(data), lambda: read_files(data))


def _seeds() -> Iterator[bytes]:
    metadata = Metadata('somebody', 'Apache-2.0', 'labels.txt', (), ('licence.txt',))
    yield write_metadata(metadata, 'A model.', 'float32')
    yield append_files(b'a model', {'labels.txt': b'daisy\nrose\n', 'licence.txt': b'Free.'})


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(constant=2 * MIB, per_byte=1024))
