# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Measures the teaching page in a real browser.

    make bench-page [ARGS=--quick]

Camera, node, page and browser run in their own processes, on a private domain.  Nothing else
should run on the machine.  The last line is a JSON object; docs/benchmarks.md explains the
figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import sys
import tempfile
from typing import Any

from benchmarks.node.run import bench_of
from benchmarks.page.visits import first_answer, grid, store_thumbnails
from benchmarks.page.watching import glass_to_glass, watched
from benchmarks.shared.dialogue import Child
from benchmarks.shared.machine import machine
from benchmarks.shared.ros_session import ros_session
from benchmarks.shared.tables import print_table
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.reading import read_model
from support.chromium import missing, running_browser
from support.page_robot import PageRobot, PageServer
from support.visitor import Visitor


def main() -> None:
    """Run all measurements and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=20.0, help='duration of each phase')
    parser.add_argument('--rounds', type=int, default=3, help='number of alternating phases')
    parser.add_argument('--quick', action='store_true', help='a trial with imprecise figures')
    arguments = parser.parse_args()
    arguments.threads = 1
    if arguments.quick:
        arguments.seconds, arguments.rounds = 4.0, 1
    if problem := missing():
        sys.exit(f'error: {problem}')
    result: dict[str, Any] = {'machine': machine('numpy', 'aiohttp', 'playwright')}
    print_table('machine', result['machine'])
    with (
        tempfile.TemporaryDirectory(prefix='edgetpu_retrain_bench_') as folder,
        ros_session(Path(folder)),
        running_browser() as browser,
    ):
        for name, figures in measurements(Path(folder), browser, arguments):
            result[name] = figures
            print_table(name.replace('_', ' '), figures)
    print(json.dumps(result))


def measurements(
    folder: Path, browser: tuple[Any, Any], arguments: argparse.Namespace
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run each measurement; yield its name and figures."""
    path = os.pathsep.join(each for each in sys.path if each)
    for device in ('desktop', 'phone'):
        empty = folder / device
        empty.mkdir()
        with PageRobot(path, empty) as robot, Visitor(*browser, robot, device) as visitor:
            yield f'first_answer_{device}', first_answer(robot, visitor)
    store_thumbnails(folder / 'thumbnails' / 'data')
    with PageRobot(path, folder / 'thumbnails') as robot:
        for device in ('desktop', 'phone'):
            with Visitor(*browser, robot, device) as visitor:
                yield f'grid_{device}', grid(visitor)
    bench_folder = folder / 'bench'
    bench_folder.mkdir()
    default = read_model(default_extractor_path())
    with contextlib.ExitStack() as stack:
        bench = stack.enter_context(bench_of(bench_folder, default, arguments))
        jpegs, viewers = (
            stack.enter_context(_child(name, folder)) for name in ('jpeg_listener', 'viewers')
        )
        page = stack.enter_context(PageServer(path, bench_folder / 'data'))
        yield 'watched', watched(bench, viewers, page.address)
        with Visitor(*browser, page, 'desktop') as visitor:
            visitor.visit()
            visitor.page.get_by_role('img', name='Live picture of camera raw').wait_for()
            yield 'glass_to_glass', glass_to_glass(bench, jpegs, visitor)


def _child(name: str, folder: Path) -> Child:
    command = [sys.executable, '-m', f'benchmarks.page.{name}']
    return Child(command, dict(os.environ), folder / f'{name}.log')


if __name__ == '__main__':
    main()
