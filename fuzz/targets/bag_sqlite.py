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
"""A .db3 file, read as a bag."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from pathlib import Path
import sqlite3

from target import MemoryBudget, MIB, scratch_folder, Target
from targets.bag_mcap import read_bag, write_small_bag


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'bag.db3'
    path.write_bytes(data)
    read_bag(path)


def _seeds() -> Iterator[bytes]:
    with scratch_folder() as folder:
        bag = write_small_bag(folder, 'sqlite3')
        path = next(bag.glob('*.db3'))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in ('PRAGMA journal_mode=DELETE', 'PRAGMA page_size=512', 'VACUUM'):
                connection.execute(statement)
        yield path.read_bytes()


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(8 * MIB, 8 * 1032 * 3 * 3))
