# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Give inputs to a target, one after the other: ``replay_inputs.py TARGET FINDINGS PATH...``.

A path may be a folder of inputs.  Each input has to do what a target may do, and to keep to its
budget of memory; whatever does not is kept in the folder FINDINGS.  No atheris is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import sys

from finding import note
from target import check, check_memory, scratch_folder
from target_list import load_target


def main() -> None:
    """Replay, print the dearest input, and end with 1 when there was a finding."""
    name, folder, *paths = sys.argv[1:]
    findings = Path(folder)
    target = load_target(name)
    highest, failed = 0, 0
    with scratch_folder() as scratch:
        for seed in target.seeds():
            # What is imported or built at the first use is no input's cost.
            check(target, seed, scratch)
        for path in _inputs(map(Path, paths)):
            data = path.read_bytes()
            try:
                highest = max(highest, check_memory(target, data, scratch))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                note(findings, error, data)
                failed += 1
    print(highest)
    sys.exit(1 if failed else 0)


def _inputs(paths: Iterator[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.iterdir()) if path.is_dir() else [path]


if __name__ == '__main__':
    main()
