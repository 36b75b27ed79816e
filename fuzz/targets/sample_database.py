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
"""samples.db: the bytes of a sample database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from small_store import make_database, use_store
from target import MemoryBudget, MIB, scratch_folder, Target


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'samples.db'
    path.write_bytes(data)
    use_store(path)


def _seeds() -> Iterator[bytes]:
    for first_release in (False, True):
        with scratch_folder() as folder:
            yield make_database(folder, first_release=first_release).read_bytes()


TARGET = Target(run=_run, seeds=_seeds, max_bytes=32_768, memory=MemoryBudget(4 * MIB, 64))
