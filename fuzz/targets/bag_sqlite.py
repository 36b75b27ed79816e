# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A .db3 file, read as a bag."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from pathlib import Path
import sqlite3

from fuzz.target import MemoryBudget, MIB, scratch_folder, Target
from fuzz.targets.bag_mcap import read_bag, write_small_bag


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
