# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Up to how many samples one machine trains: ``python -m benchmarks.fleet.training_scale``.

Runs one whole round of a robot (judging, gate, training, new version) for each number of samples,
in a process of its own, and prints processor time, elapsed time and peak resident memory.  The
last line is a JSON object.  Samples are synthetic embeddings of 1280 numbers, of 20 robots and 50
classes that overlap; 1 % of them are this robot's own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import resource
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace
from typing import Any

from benchmarks.shared.machine import machine
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.fleet.ledger.evidence import FleetEvidence
from edgetpu_retrain.fleet.training.training_round import RoundOptions, run_round
from edgetpu_retrain.model_file.reading import read_model
import numpy as np

_ROBOTS, _CLASSES, _DIM = 20, 50, 1280
_VIEWS = 20
_OWN_SHARE = 0.01


def main() -> None:
    """Measure each number of samples in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--samples', type=int, nargs='*', default=[1000, 10_000, 100_000, 200_000])
    parser.add_argument('--measure', type=int, help='measure this number in this process')
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    rounds = trainings(arguments.samples)
    print(json.dumps({'machine': machine('numpy'), 'rounds': rounds}))


def trainings(counts: Sequence[int]) -> list[dict[str, Any]]:
    """Measure a round on each number of samples, each in a process of its own."""
    found = []
    for count in counts:
        command = [sys.executable, '-m', 'benchmarks.fleet.training_scale', '--measure']
        done = subprocess.run(  # noqa: S603 - this module
            [*command, str(count)], check=True, capture_output=True, text=True
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(found[-1], flush=True)
    return found


def measure(count: int) -> dict[str, Any]:
    """Return what one round on this number of samples takes."""
    evidence = synthetic_evidence(count)
    own = {
        bytes(each): SimpleNamespace(label=label, recording=recording)
        for each, label, recording, key in zip(
            evidence.ids, evidence.labels, evidence.recordings, evidence.keys, strict=True
        )
        if key == 'robot 00'
    }
    extractor = read_model(default_extractor_path())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, processor = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        result = run_round(
            Path(folder), extractor, evidence, own,  # type: ignore[arg-type]
            {}, 'robot 00', RoundOptions(), evidence_without=lambda _: evidence,
        )  # fmt: skip
    return {
        'samples': count,
        'outcome': result.outcome,
        'seconds': round(time.perf_counter() - started, 1),
        'processor_seconds': round(time.process_time() - processor, 1),
        'mib_before': round(before / 1024),
        'mib_at_peak': round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        'figures': result.figures,
    }


def synthetic_evidence(count: int) -> FleetEvidence:
    """Return samples of some robots, which overlap as those of real classes do."""
    rng = np.random.default_rng(0)
    centers = rng.normal(0.0, 12.0, (_CLASSES, _DIM)).astype(np.float32)
    labels = rng.integers(0, _CLASSES, count)
    robots = rng.integers(1, _ROBOTS, count)
    robots[rng.random(count) < _OWN_SHARE] = 0
    raw = np.empty((count, _DIM), np.uint8)
    for start in range(0, count, 10_000):
        rows = slice(start, start + 10_000)
        part = centers[labels[rows]]
        part += 60.0 * rng.standard_normal(part.shape, dtype=np.float32)
        raw[rows] = np.clip(part, 0, 255)
    ids = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    return FleetEvidence(
        ids, raw,
        [f'class {label:02d}' for label in labels],
        [f'robot {robot:02d}/{number // (_VIEWS * _CLASSES)}'
         for number, robot in enumerate(robots)],
        [f'robot {robot:02d}' for robot in robots],
        ['teach'] * count,
        np.arange(count, dtype=np.int64),
    )  # fmt: skip


if __name__ == '__main__':
    main()
