# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""metadata.yaml of a bag, beside a good .mcap file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
import json
from pathlib import Path

from fuzz.json_mutation import mutate_json
from fuzz.target import MemoryBudget, MIB, scratch_folder, Target
from fuzz.targets.bag_mcap import read_bag, write_small_bag
import yaml


@cache
def _bag() -> dict[str, bytes]:
    with scratch_folder() as folder:
        bag = write_small_bag(folder, 'mcap')
        return {path.name: path.read_bytes() for path in bag.iterdir()}


def _run(data: bytes, folder: Path) -> None:
    for name, content in _bag().items():
        (folder / name).write_bytes(content)
    (folder / 'metadata.yaml').write_bytes(data)
    read_bag(folder)


def _seeds() -> Iterator[bytes]:
    yield _bag()['metadata.yaml']
    # The same as JSON, which is YAML too.
    yield json.dumps(yaml.safe_load(_bag()['metadata.yaml'].decode())).encode()
    yield b'a: &a [x, x]\nb: &b [*a, *a]\nrosbag2_bagfile_information: *b\n'


TARGET = Target(
    run=_run,
    seeds=_seeds,
    max_bytes=8192,
    memory=MemoryBudget(8 * MIB, 4096),
    mutate=mutate_json,
)
