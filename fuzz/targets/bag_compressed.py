# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An .mcap.zstd file, read as a bag."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz.target import MemoryBudget, MIB, scratch_folder, Target
from fuzz.targets.bag_mcap import read_bag, write_small_bag
from rosbags.rosbag2 import reader

_zstd: Any = reader.zstd


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'bag.mcap.zstd'
    path.write_bytes(data)
    read_bag(path)


def _seeds() -> Iterator[bytes]:
    with scratch_folder() as folder:
        content = next(write_small_bag(folder, 'mcap').glob('*.mcap')).read_bytes()
    packed = _zstd.compress(content)
    yield packed
    yield packed[: len(packed) // 2]


TARGET = Target(run=_run, seeds=_seeds, memory=MemoryBudget(8 * MIB, 8 * 1032 * 3 * 3))
