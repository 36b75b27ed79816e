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
"""labels.txt: class names beside a model, in Coral's forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.model_file.metadata.label_file import coral_label_file, read_label_file
from target import Target


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'labels.txt'
    path.write_bytes(data)
    read_label_file(path)


def _seeds() -> Iterator[bytes]:
    yield coral_label_file(['daisy', 'red rose'])
    yield b'daisy\nred rose\n'
    yield '0: Gänseblümchen\r\n2  Rose\r\n'.encode()
    yield b'999999 last\n'


TARGET = Target(run=_run, seeds=_seeds)
