# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Runs a target on inputs, without atheris: ``python -m fuzz.replay_inputs TARGET FINDINGS PATH...``.

A path is an input or a folder of inputs.  Inputs that make the target raise another exception than
it may, or exceed its memory budget, are stored in the folder FINDINGS.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import sys

from fuzz.finding import store_finding
from fuzz.target import check, check_memory, scratch_folder
from fuzz.target_list import load_target


def main() -> None:
    """Run all inputs, print the largest memory use, and exit with 1 if there is a finding."""
    name, folder, *paths = sys.argv[1:]
    findings = Path(folder)
    target = load_target(name)
    highest, failed = 0, 0
    with scratch_folder() as scratch:
        for seed in target.seeds():
            # Imports and caches of the first run are not a cost of the input.
            check(target, seed, scratch)
        for path in _inputs(map(Path, paths)):
            data = path.read_bytes()
            try:
                highest = max(highest, check_memory(target, data, scratch))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                store_finding(findings, error, data)
                failed += 1
    print(highest)
    sys.exit(1 if failed else 0)


def _inputs(paths: Iterator[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.iterdir()) if path.is_dir() else [path]


if __name__ == '__main__':
    main()
