# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""samples.db: the bytes of a sample database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fuzz.small_store import make_database, use_store
from fuzz.target import MemoryBudget, MIB, scratch_folder, Target


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'samples.db'
    path.write_bytes(data)
    use_store(path)


def _seeds() -> Iterator[bytes]:
    for first_release in (False, True):
        with scratch_folder() as folder:
            yield make_database(folder, first_release=first_release).read_bytes()


TARGET = Target(run=_run, seeds=_seeds, max_bytes=32_768, memory=MemoryBudget(4 * MIB, 64))
