# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Hold the node against a bare loop of resize, invoke and head: ``benchmarks/node.py [--quick]``.

Camera, node and listener are processes of their own, which talk through DDS on a domain of their
own.  The floor is measured in the same run, in turn with what it is compared with.  Nothing else
should run meanwhile.  The last line is a JSON object; docs/benchmarks.md tells what each figure
means.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
import contextlib
import json
import os
from pathlib import Path
import sys
import tempfile
from typing import Any

from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.processes.isolation import (
    private_domain_id,
    private_environment,
    with_large_images,
)
from machine import machine
from node_dialogue import Child
from node_floor import BareLoop
from node_measurements import Bench, latency, memory, swaps, throughput, training, VARIANTS
from node_robot import Robot, teach, teach_at_random
from node_tables import print_latencies, print_table
from ros_session import ros_session
from slow_extractor import slow_extractor

_HERE = Path(__file__).resolve().parent
_PROFILE = _HERE.parent / 'config' / 'fastdds_large_images.xml'
_SAMPLES = 1000
_SLOW_MS = 10.0
# Environment variables of glibc, see mallopt(3).
_KEEP_MEMORY = {
    'MALLOC_MMAP_THRESHOLD_': str(32 * 2**20),
    'MALLOC_TRIM_THRESHOLD_': str(64 * 2**20),
}


def main() -> None:
    """Run and print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=10.0, help='over which memory is watched')
    parser.add_argument('--threads', type=int, default=1, help='of node and bare loop')
    parser.add_argument('--seconds', type=float, default=10.0, help='of each phase')
    parser.add_argument('--rounds', type=int, default=5, help='of phases that take turns')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='to try it out: some two minutes, figures of little worth',
    )
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.minutes, arguments.seconds, arguments.rounds = 0.25, 3.0, 1
    result: dict[str, Any] = {'machine': machine('numpy', 'ai-edge-litert')}
    result['machine']['ros'] = os.environ.get('ROS_DISTRO', '')
    print_table('machine', result['machine'])
    with (
        tempfile.TemporaryDirectory(prefix='edgetpu_retrain_bench_') as folder,
        private_domain_id() as domain_id,
    ):
        os.environ.update(_environment(domain_id, Path(folder)))
        with ros_session():
            measure(result, Path(folder), arguments)
    print(json.dumps({**headline(result), **result}))


def measure(result: dict[str, Any], folder: Path, arguments: argparse.Namespace) -> None:
    """Add to the result, and print, what each measurement gives."""
    slow, took = slow_extractor(_SLOW_MS, arguments.threads)
    print(f'\nthe slow extractor takes {took:.1f} ms on its own')
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
        for name, measurement in (('training', training), ('swaps', swaps)):
            result[name] = measurement(bench)
            print_table(name, result[name])
        result['memory'] = memory(bench, arguments.minutes)
        print_table('memory', result['memory'])


def headline(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that have goals."""
    usual = result['latency']['640x480 raw']
    return {
        'throughput_ratio_default': result['throughput_default']['ratio'],
        'throughput_ratio_10ms': result['throughput_10ms']['ratio'],
        'added_p50_ms': usual['added_p50_ms'],
        'added_p99_ms': usual['added_p99_ms'],
        'training_p99_ratio': result['training']['ratio_p99'],
        'swap_frames_lost': result['swaps']['frames_lost_to_swaps'],
        'swap_longest_gap_periods': result['swaps']['longest_gap_periods'],
        'memory_growth': result['memory']['growth'],
    }


@contextlib.contextmanager
def bench_of(
    folder: Path, extractor: bytes, arguments: argparse.Namespace, *, taught: bool = True
) -> Iterator[Bench]:
    """
    Start camera, listener and a trained node.

    Args:
        folder: for files of this bench.
        extractor: bytes of the .tflite file.
        arguments: of the command line.
        taught: on pictures, rather than on embeddings made up for an extractor that sees nothing.
    """
    data_dir, path = folder / 'data', folder / 'extractor.tflite'
    (teach if taught else teach_at_random)(data_dir, extractor, _SAMPLES)
    path.write_bytes(extractor)
    environment = dict(os.environ)
    # Camera and empty subscriber are to be as quick as can be, for what they take is subtracted:
    # they keep the memory of an image for the next one, as the node does by itself.
    quick = {**environment, **_KEEP_MEMORY}
    with contextlib.ExitStack() as stack:
        robot = stack.enter_context(Robot(folder, path, data_dir, arguments.threads, environment))
        robot.wait_until_ready()
        model = robot.train().read_bytes()
        camera, listener = (
            stack.enter_context(
                Child(
                    [sys.executable, str(_HERE / f'node_{name}.py')], given, folder / f'{name}.log'
                )
            )
            for name, given in (
                ('camera', with_large_images(quick, _PROFILE)),
                ('listener', quick),
            )
        )
        bare = BareLoop(model, arguments.threads)
        yield Bench(camera, listener, robot, bare, arguments.seconds, arguments.rounds)


def _environment(domain_id: int, folder: Path) -> dict[str, str]:
    environment = private_environment(domain_id, folder)
    # The programs beside this one import each other, which a safe path would keep them from.
    environment['PYTHONPATH'] = os.pathsep.join([str(_HERE), environment['PYTHONPATH']])
    return environment


if __name__ == '__main__':
    main()
