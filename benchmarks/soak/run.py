# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Runs the node under all kinds of load at once for minutes, and watches its resources.

    make soak MINUTES=10 [SAMPLES=50000]

Two cameras publish; eight clients capture, send pictures, list, relabel, undo, redo and remove
samples, swap models, set parameters, subscribe for a moment, and send bad requests; a ninth trains
every 30 s.  A tenth calls a peer node that does nothing but respond: if that slows down as well,
the machine is slower.  Node, cameras, listener and clients run in their own processes on a private
DDS domain.  The load leaves the processor idle at times, because drift is measured and not
throughput.

A fifth of the time, at most 90 s, is warm-up.  The rest is divided into at least six windows of
about 30 s.  Every second the node's resident memory, open file descriptors and threads are read
from /proc.  ``start`` of a figure is its median over the first third of the windows, ``end`` that
over the last third, and ``drift`` is end / start - 1.  The value of a window is

- ``memory``: the median of the resident memory;
- ``handles``, ``threads``: the median of their numbers;
- ``p99``: the 99th percentile of the response time of all requests, except those that load,
  capture or train, which depend on frames, disk and trainings;
- ``peer_p99``: that of the peer node;
- ``frame_p99``: that of the time from the publication of an image to its classification.

``errors`` counts wrong responses, missing responses, silent topics, lines in the node's log at
level ERROR or FATAL, tracebacks, and a node that ends early or with an exit code other than 0.
The clients use ``edgetpu_retrain.client``, which asks for the node's state before each request:
a response time includes that.

The last line is a JSON object.  The exit code is 0 if there is no error, memory drifts by less
than 3 %, no handles or threads are added, and p99 drifts by less than 20 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
import contextlib
import os
from pathlib import Path
import sys
import tempfile
import time

from benchmarks.shared.dialogue import Child
from benchmarks.shared.machine import machine
from benchmarks.shared.robot import NAME, Robot, teach, TOPICS
from benchmarks.shared.ros_session import LARGE_IMAGES_PROFILE, ros_session
from benchmarks.shared.tables import print_table
from benchmarks.soak.figures import alarms, Usage
from benchmarks.soak.report import Observations, report
from benchmarks.soak.workloads import KEPT_MODELS
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.processes.isolation import with_large_images

_RATE = 8.0
_PERIOD_S = 1.0
_PARAMETERS = {'keep_models': KEPT_MODELS, 'store_images': 'thumbnail'}


def main() -> int:
    """Run the soak test, print its figures, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--minutes', type=float, default=10.0)
    parser.add_argument(
        '--samples', type=int, default=200, help='number of samples in the store at the start'
    )
    parser.add_argument('--training-period', type=float, default=30.0, help='seconds')
    parser.add_argument(
        '--parameter',
        action='append',
        default=[],
        metavar='NAME:=VALUE',
        help='an additional parameter of the node',
    )
    parser.add_argument(
        '--keep',
        type=Path,
        metavar='FOLDER',
        help='a new folder for the logs, data folder and usage.csv of the node',
    )
    arguments = parser.parse_args()
    described = machine('numpy', 'ai-edge-litert')
    print_table('machine', described)
    parameters = dict(each.split(':=', 1) for each in arguments.parameter)
    with _folder(arguments.keep) as folder:
        with ros_session(folder):
            observed = soak(
                folder,
                arguments.samples,
                60 * arguments.minutes,
                arguments.training_period,
                {**_PARAMETERS, **parameters},
            )
        _write_usages(folder / 'usage.csv', observed)
    return report(observed, described)


def soak(
    folder: Path,
    samples: int,
    seconds: float,
    training_period_s: float,
    parameters: Mapping[str, object],
) -> Observations:
    """
    Start all processes, watch the node, and end them.

    Args:
        folder: folder for all files.
        samples: number of samples in the store at the start.
        seconds: how long to watch the node.
        training_period_s: seconds from the start of one training to that of the next.
        parameters: the node's.
    """
    observed = Observations(samples)
    data_dir, extractor = folder / 'data', default_extractor_path()
    teach(data_dir, extractor.read_bytes(), samples)
    with contextlib.ExitStack() as stack:
        robot = stack.enter_context(
            Robot(folder, extractor, data_dir, 1, dict(os.environ), parameters)
        )
        robot.wait_until_ready()
        for _ in range(KEPT_MODELS):
            robot.train()
        with _load(folder, training_period_s, observed):
            _watch(robot, seconds, observed)
        code = robot.end()
        if code:
            observed.errors.append(f'the node ended with exit code {code}')
        observed.errors += [f'in the log of the node: {line}' for line in alarms(robot.log)]
    return observed


def _watch(robot: Robot, seconds: float, observed: Observations) -> None:
    observed.begin = observed.end = time.monotonic()
    used = robot.cpu_seconds()
    while observed.end - observed.begin < seconds:
        if robot.has_ended:
            observed.errors.append('the node ended early')
            return
        observed.usages.append(
            Usage(observed.end, robot.resident_mib(), robot.handles(), robot.threads())
        )
        observed.cpu_seconds = robot.cpu_seconds() - used
        time.sleep(_PERIOD_S)
        observed.end = time.monotonic()


@contextlib.contextmanager
def _load(folder: Path, training_period_s: float, observed: Observations) -> Iterator[None]:
    """Run cameras, clients, listener and peer during the context, and collect their records."""
    environment = dict(os.environ)
    with contextlib.ExitStack() as stack:

        def child(program: str, name: str, environment: Mapping[str, str]) -> Child:
            command = [sys.executable, '-m', f'benchmarks.{program}']
            return stack.enter_context(Child(command, environment, folder / f'{name}.log'))

        listener = child('shared.listener', 'listener', environment)
        listener.request(what='start', topic=f'{NAME}/classification', type='classification')
        cameras = []
        for transport, topic in TOPICS.items():
            camera = child(
                'shared.camera', transport, with_large_images(environment, LARGE_IMAGES_PROFILE)
            )
            shown = {'transport': transport, 'width': 640, 'height': 480, 'rate': _RATE}
            camera.request(what='start', topic=topic, **shown)
            cameras.append(camera)
        child('soak.peer', 'peer', environment)
        clients = child('soak.clients', 'clients', environment)
        clients.request(what='start', training_period_s=training_period_s)
        yield
        observed.clients = clients.request(what='stop')
        observed.errors += observed.clients['errors']
        observed.published = sum(len(camera.request(what='stop')) for camera in cameras)
        arrivals = listener.request(what='stop')
        observed.frames = [(stamp / 1e9, (arrived - stamp) / 1e9) for stamp, arrived in arrivals]


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix='edgetpu_retrain_soak_') as folder:
        yield Path(folder)


def _write_usages(path: Path, observed: Observations) -> None:
    lines = [
        f'{each.when - observed.begin:.1f},{each.resident_mib:.2f},{each.handles},{each.threads}'
        for each in observed.usages
    ]
    path.write_text('\n'.join(['seconds,resident_mib,handles,threads', *lines, '']))


if __name__ == '__main__':
    sys.exit(main())
