# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Compares the node with a bare loop of resize, invoke and head.

    make bench-node [ARGS=--quick]

Camera, node and listener run in their own processes and communicate through DDS, on a private
domain.  The bare loop is measured in the same run, alternating with what it is compared with.
Nothing else should run on the machine.  The last line is a JSON object; docs/benchmarks.md
explains the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
import contextlib
from dataclasses import replace
import json
import os
from pathlib import Path
import sys
import tempfile
from typing import Any

from benchmarks.node.bare_loop import BareLoop
from benchmarks.node.latency_tables import print_latencies, print_reception
from benchmarks.node.measurements import (
    Bench,
    latency,
    memory,
    reception,
    RECEPTIONS,
    swaps,
    throughput,
    VARIANTS,
)
from benchmarks.node.slow_extractor import slow_extractor
from benchmarks.node.training_measurements import (
    BUSY_PROCESSES,
    training,
    training_beside_busy_processes,
)
from benchmarks.shared.dialogue import Child
from benchmarks.shared.machine import machine
from benchmarks.shared.robot import Robot, teach, teach_at_random
from benchmarks.shared.ros_session import LARGE_IMAGES_PROFILE, ros_session
from benchmarks.shared.tables import print_table
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.processes.isolation import with_large_images

_SAMPLES = 1000
_SLOW_MS = 10.0
# Environment variables of glibc, see mallopt(3).
_KEEP_MEMORY = {
    'MALLOC_MMAP_THRESHOLD_': str(32 * 2**20),
    'MALLOC_TRIM_THRESHOLD_': str(64 * 2**20),
}


def main() -> None:
    """Run all measurements and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--minutes', type=float, default=10.0, help='duration of the memory measurement'
    )
    parser.add_argument(
        '--threads', type=int, default=1, help='inference threads of node and bare loop'
    )
    parser.add_argument('--seconds', type=float, default=10.0, help='duration of each phase')
    parser.add_argument('--rounds', type=int, default=5, help='number of alternating phases')
    parser.add_argument(
        '--quick', action='store_true', help='a trial of about two minutes with imprecise figures'
    )
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.minutes, arguments.seconds, arguments.rounds = 0.25, 3.0, 1
    result: dict[str, Any] = {'machine': machine('numpy', 'ai-edge-litert')}
    print_table('machine', result['machine'])
    with (
        tempfile.TemporaryDirectory(prefix='edgetpu_retrain_bench_') as folder,
        ros_session(Path(folder)),
    ):
        measure(result, Path(folder), arguments)
    print(json.dumps({**headline(result), **result}))


def measure(result: dict[str, Any], folder: Path, arguments: argparse.Namespace) -> None:
    """Run all measurements, print their figures and add them to ``result``."""
    slow, took = slow_extractor(_SLOW_MS, arguments.threads)
    print(f'\nthe slow extractor takes {took:.1f} ms')
    with bench_of(folder / 'slow', slow, arguments, taught=False) as bench:
        result['throughput_10ms'] = throughput(bench)
        print_table('throughput, slow extractor', result['throughput_10ms'])
    default = read_model(default_extractor_path())
    with bench_of(folder / 'default', default, arguments) as bench:
        result['throughput_default'] = throughput(bench)
        print_table('throughput, default extractor', result['throughput_default'])
        result['latency'] = {}
        for variant in VARIANTS:
            transport, width, height = variant
            result['latency'][f'{width}x{height} {transport}'] = latency(bench, variant)
        print_latencies(result['latency'])
        with child('camera', folder / 'default' / 'plain_camera.log', dict(os.environ)) as plain:
            result['reception'] = reception(replace(bench, camera=plain))
        print_reception('default settings', result['reception'])
        result['reception_large_segment'] = reception(bench, RECEPTIONS[-1:])
        print_reception('large segment', result['reception_large_segment'])
        for name, measurement in (('training', training), ('swaps', swaps)):
            result[name] = measurement(bench)
            print_table(name, result[name])
        result['memory'] = memory(bench, arguments.minutes)
        print_table('memory', result['memory'])
    with bench_of(folder / 'busy', default, arguments, busy_processes=BUSY_PROCESSES) as bench:
        alone_s = result['training']['training_without_images_s']
        result['busy'] = training_beside_busy_processes(bench, alone_s)
        print_table('beside busy processes', result['busy'])


def headline(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that have goals."""
    latencies = result['latency']
    usual, compressed = latencies['640x480 raw'], latencies['640x480 compressed']
    large = latencies['1920x1080 compressed']
    return {
        'throughput_ratio_default': result['throughput_default']['ratio'],
        'throughput_ratio_10ms': result['throughput_10ms']['ratio'],
        'added_p50_ms': usual['added_p50_ms'],
        'added_p99_ms': usual['added_p99_ms'],
        'added_compressed_p50_ms': compressed['added_p50_ms'],
        'added_compressed_full_hd_p50_ms': large['added_p50_ms'],
        'compressed_full_hd_frames_lost': large['frames_lost'],
        'training_p99_ratio': result['training']['ratio_p99'],
        'training_over_fair_share': result['busy']['training_over_fair_share'],
        'received_over_subscriber': min(
            row['node_over_subscriber'] for row in result['reception'].values()
        ),
        'swap_frames_lost': result['swaps']['frames_lost_to_swaps'],
        'swap_longest_gap_periods': result['swaps']['longest_gap_periods'],
        'memory_growth': result['memory']['growth'],
    }


@contextlib.contextmanager
def bench_of(
    folder: Path,
    extractor: bytes,
    arguments: argparse.Namespace,
    *,
    taught: bool = True,
    busy_processes: int = 0,
) -> Iterator[Bench]:
    """
    Start camera, listener and a trained node.

    Args:
        folder: folder for files of this bench.
        extractor: bytes of the .tflite file.
        arguments: the command line's.
        taught: train on pictures; otherwise on random embeddings, for a random extractor.
        busy_processes: number of processes that keep the cores busy meanwhile.
    """
    data_dir, path = folder / 'data', folder / 'extractor.tflite'
    (teach if taught else teach_at_random)(data_dir, extractor, _SAMPLES)
    path.write_bytes(extractor)
    environment = dict(os.environ)
    # Time of camera and listener is subtracted, so they should be fast: like the node, they keep
    # the memory of an image for the next one.
    fast = {**environment, **_KEEP_MEMORY}
    with contextlib.ExitStack() as stack:
        robot = stack.enter_context(
            Robot(
                folder,
                path,
                data_dir,
                arguments.threads,
                environment,
                busy_processes=busy_processes,
            )
        )
        robot.wait_until_ready()
        model = robot.train().read_bytes()
        camera, listener = (
            stack.enter_context(child(name, folder / f'{name}.log', variables))
            for name, variables in (
                ('camera', with_large_images(fast, LARGE_IMAGES_PROFILE)),
                ('listener', fast),
            )
        )
        bare = BareLoop(model, arguments.threads)
        yield Bench(camera, listener, robot, bare, arguments.seconds, arguments.rounds)


def child(name: str, log: Path, environment: Mapping[str, str]) -> Child:
    """Return a program of benchmarks/shared, as a child process with a log."""
    return Child([sys.executable, '-m', f'benchmarks.shared.{name}'], environment, log)


if __name__ == '__main__':
    main()
