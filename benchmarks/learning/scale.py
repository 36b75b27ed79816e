# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Trains on a million samples: ``python -m benchmarks.learning.scale [--samples 1000000]``.

Alternates between all embeddings of a memory-mapped file and the first 10,000 of them.  Prints the
time per iteration and the total time of both (medians), and the peak resident memory of the
process, which includes pages of the file.  The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import resource
import tempfile
import time
from typing import Any

from benchmarks.shared.machine import machine
from edgetpu_retrain.learning import fit, IntArray
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

_FEW = 10_000
_DIM = 1280
_CLASSES = 20
_CHUNK = 10_000
_ITERATIONS = 1000
_TURNS = 5
_SCALE, _ZERO_POINT = 0.0234, 0


def main() -> None:
    """Run both trainings several times and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--samples', type=int, default=1_000_000)
    parser.add_argument('--folder', type=Path, help='folder for a file of 1.2 GiB')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, threadpool_limits(1):
        path = Path(folder) / 'embeddings'
        labels = write_embeddings(path, arguments.samples)
        stored = np.memmap(path, np.uint8, 'r', shape=(arguments.samples, _DIM))
        turns = [
            (measure(stored[:_FEW], labels[:_FEW]), measure(stored, labels)) for _ in range(_TURNS)
        ]
    few, many = (np.median(part, axis=0).round(4).tolist() for part in zip(*turns, strict=True))
    # The ratio of each turn, because other load on the machine affects both trainings of a turn.
    ratio = float(np.median([many_then[0] / few_then[0] for few_then, many_then in turns]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    result: dict[str, Any] = {
        'machine': machine('numpy'),
        'samples': arguments.samples,
        'microseconds_an_iteration': {'few': few[0], 'many': many[0]},
        'many_over_few': round(ratio, 3),
        'seconds': {'few': few[1], 'many': many[1]},
        'accuracy': {'few': few[2], 'many': many[2]},
        'peak_resident_gib': round(peak, 3),
    }
    print(json.dumps(result))


def write_embeddings(path: Path, count: int) -> IntArray:
    """Write uint8 embeddings of overlapping classes, half of them 0, and return their labels."""
    rng = np.random.default_rng(0)
    centers = rng.normal(0.0, 12.0, (_CLASSES, _DIM)).astype(np.float32)
    labels = rng.integers(0, _CLASSES, count)
    with path.open('wb') as file:
        for start in range(0, count, _CHUNK):
            end = start + _CHUNK
            part = centers[labels[start:end]]
            part += 60.0 * rng.standard_normal(part.shape, dtype=np.float32)
            np.clip(part, 0, 255, out=part)
            file.write(part.astype(np.uint8).tobytes())
    return labels


def measure(stored: npt.NDArray[np.uint8], labels: IntArray) -> tuple[float, float, float]:
    """Return microseconds per iteration, total seconds and held-out accuracy."""
    clock = _Clock()
    started = time.perf_counter()
    head = fit(
        stored,
        labels,
        scale=_SCALE,
        zero_point=_ZERO_POINT,
        num_iter=_ITERATIONS,
        should_stop=clock.tick,
    )
    seconds = time.perf_counter() - started
    accuracy = head.metrics.accuracy if head.metrics else float('nan')
    # The final training is the second one, and nothing interrupts it.
    end = 2 * _ITERATIONS
    durations = np.diff(clock.times[_ITERATIONS:end])
    mean = 1e6 * float(durations.mean())
    print(
        f'{len(labels):9} samples: {mean:7.0f} us per iteration, {seconds:6.2f} s in total, '
        f'{100 * accuracy:.1f} % held-out accuracy'
    )
    return round(mean, 1), round(seconds, 2), round(accuracy, 4)


class _Clock:
    """Records when each iteration begins."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def tick(self) -> bool:
        """Record the time; return False, so that training goes on."""
        self.times.append(time.perf_counter())
        return False


if __name__ == '__main__':
    main()
