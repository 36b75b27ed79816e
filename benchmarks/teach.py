# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Compares `teach` with a bare loop of decode, resize and invoke.

    make bench-teach

The benchmark makes photographs of 512x384 from the packaged ones.  Two functions embed them in
turns, a batch at a time, so that other load on the machine affects both: a bare loop (OpenCV's
decoder and the extractor) and `teach`, from the folder to samples on disk.  The last line is a
JSON object.  `ratio`, the median of the rate of `teach` relative to that of the bare loop, should
be 0.9 or more, and `memory_growth_mb` close to 0.  `cpu_ratio` is the ratio of processor times,
which contain no waiting for the disk or other programs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import json
import math
from pathlib import Path
import platform
import resource
import statistics
import sys
import tempfile
import time
from typing import NamedTuple

import cv2
from edgetpu_retrain.demo.photographs import read_photograph, SUBJECTS
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.recordings.picture_folder import class_folders, labelled_pictures
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.teaching import BATCH, Taught, teach
import numpy as np
import numpy.typing as npt

SIZE = (512, 384)
GOAL = 0.9


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print all rounds, then a JSON object; return 1 if the goal is missed."""
    options = _parse(arguments)
    model = default_extractor_path().read_bytes()
    extractor = Extractor(model, num_threads=options.threads)
    engine = CpuEngine(model, num_threads=options.threads)
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        with SampleStore(folder / 'samples.db') as store:
            rounds = [
                measure(folder / str(number), number, extractor, engine, store)
                for number in range(1 + math.ceil(options.pictures / BATCH))
            ]
            stored = sum(store.counts(extractor=engine.description.identity).values())
    # The first round is for warming up.
    rounds = rounds[1:]
    result = {
        'ratio': round(statistics.median(each.bare_s / each.teach_s for each in rounds), 4),
        'cpu_ratio': round(
            sum(each.bare_cpu_s for each in rounds) / sum(each.teach_cpu_s for each in rounds), 4
        ),
        'bare_per_s': round(BATCH / statistics.median(each.bare_s for each in rounds), 2),
        'teach_per_s': round(BATCH / statistics.median(each.teach_s for each in rounds), 2),
        'memory_growth_mb': round(rounds[-1].memory_mb - rounds[0].memory_mb, 1),
        'pictures': stored,
        'size': list(SIZE),
        'threads': options.threads,
        'python': platform.python_version(),
    }
    print(json.dumps(result), flush=True)
    return 0 if result['ratio'] >= GOAL else 1


class Round(NamedTuple):
    """Wall-clock and processor seconds of one round, and the peak memory so far."""

    bare_s: float
    bare_cpu_s: float
    teach_s: float
    teach_cpu_s: float
    memory_mb: float


def measure(
    folder: Path, number: int, extractor: Extractor, engine: CpuEngine, store: SampleStore
) -> Round:
    """Embed the same new photographs in both ways, which take turns to begin."""
    files = write_photographs(folder, BATCH, seed=number)

    def bare() -> None:
        for path in files:
            bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
            extractor.embed(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))

    def whole() -> None:
        pictures = labelled_pictures(folder, class_folders(folder))
        teach(pictures, engine, store, taught=Taught())

    order = ((bare, whole), (whole, bare))[number % 2]
    times = {function: seconds(function) for function in order}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    done = Round(*times[bare], *times[whole], peak)
    print(
        f'round {number:2}: {BATCH / done.bare_s:6.1f} pictures a second bare, '
        f'{BATCH / done.teach_s:6.1f} by teach, ratio {done.bare_s / done.teach_s:.3f}, '
        f'peak memory {peak:.0f} MB',
        flush=True,
    )
    return done


def seconds(function: Callable[[], None]) -> tuple[float, float]:
    """Return the wall-clock time and the processor time of a function."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - processor


def write_photographs(folder: Path, count: int, seed: int) -> list[Path]:
    """Write JPEG files, with a sub-folder for each subject, and return their paths."""
    rng = np.random.default_rng(seed)
    files = []
    for index in range(count):
        subject = SUBJECTS[index % len(SUBJECTS)]
        photograph = read_photograph(subject)
        height, width = photograph.shape[:2]
        side = rng.uniform(0.6, 1.0)
        rows, columns = round(height * side), round(width * side)
        top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
        across, down = slice(left, left + columns), slice(top, top + rows)
        part = photograph[down, across]
        path = folder / subject / f'{index:05d}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_jpeg(cv2.resize(part, SIZE)))
        files.append(path)
    return files


def _jpeg(rgb: npt.NDArray[np.uint8]) -> bytes:
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    return bytes(cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--pictures', type=int, default=2500)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--folder', type=Path, help='folder for the store, on a disk')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    sys.exit(main())
