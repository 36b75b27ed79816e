# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Work the node for minutes with all that it offers at once, and watch what it holds.

    benchmarks/soak.py [--minutes 10]

Two cameras publish; eight clients capture, send pictures, list, relabel, undo and remove samples,
swap models, set parameters, listen for a moment, and ask for the impossible; a ninth trains every
30 s.  A tenth asks a node that does nothing but answer: where that becomes slower as well, the
machine is slower.  Node, cameras, listener and clients are processes of their own on a DDS domain
of their own.  The rates leave the processor idle at times, for drift is looked for and not
throughput.

A fifth of the time, at most 90 s, is warm-up.  The rest is divided into windows of some 30 s, at
least six.  Every second the node's resident memory, open file descriptors and threads are read
from /proc.  ``start`` of a figure is its median over the first third of the windows, ``end`` that
over the last third, and ``drift`` is end / start - 1, where a window's own value is

- ``memory``: the median of the resident memory;
- ``handles``, ``threads``: the median of their numbers;
- ``p99``: the 99th percentile of the time from question to answer, over all requests but those
  that load, capture or train, whose time is that of frames, disk and trainings;
- ``peer_p99``: that of the node that does nothing but answer;
- ``frame_p99``: that of the time from the publication of an image to its classification.

``errors`` counts answers that should have been others, requests without an answer, topics that
stay silent, lines in the node's log at level ERROR or FATAL and tracebacks, an end of the node
before its time or with another exit code than 0.  A client's first question may be lost by DDS
while the two discover each other: it is asked again and counted as ``lost at discovery``.

The last line is a JSON object.  The exit code is 0 when there is no error, memory drifts by less
than 3 %, neither handles nor threads are added, and p99 drifts by less than 20 %.
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

from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.processes.isolation import (
    private_domain_id,
    private_environment,
    with_large_images,
)
from machine import machine
from node_dialogue import Child
from node_robot import NAME, Robot, teach, TOPICS
from node_tables import print_table
from ros_session import ros_session
from soak_figures import alarms, Usage
from soak_report import report, Soak
from soak_storms import KEPT_MODELS

_HERE = Path(__file__).resolve().parent
_PROFILE = _HERE.parent / 'config' / 'fastdds_large_images.xml'
_SAMPLES = 200
_RATE = 8.0
_PERIOD_S = 1.0
_PARAMETERS = {'keep_models': KEPT_MODELS, 'store_images': 'thumbnail'}


def main() -> int:
    """Run, print everything, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--minutes', type=float, default=10.0)
    parser.add_argument('--training-period', type=float, default=30.0, help='seconds')
    parser.add_argument(
        '--parameter',
        action='append',
        default=[],
        metavar='NAME:=VALUE',
        help='one more of the node, to see how the soak takes it',
    )
    parser.add_argument(
        '--keep',
        type=Path,
        metavar='FOLDER',
        help='new; logs, data folder and usage.csv of the node are left there',
    )
    arguments = parser.parse_args()
    described = machine('numpy', 'ai-edge-litert')
    described['ros'] = os.environ.get('ROS_DISTRO', '')
    print_table('machine', described)
    parameters = dict(each.split(':=', 1) for each in arguments.parameter)
    with (
        _folder(arguments.keep) as folder,
        private_domain_id() as domain_id,
    ):
        os.environ.update(_environment(domain_id, folder))
        with ros_session():
            seen = soak(
                folder,
                60 * arguments.minutes,
                arguments.training_period,
                {**_PARAMETERS, **parameters},
            )
        _write_usages(folder / 'usage.csv', seen)
    return report(seen, described)


def soak(
    folder: Path, seconds: float, training_period_s: float, parameters: Mapping[str, object]
) -> Soak:
    """
    Start all processes, watch the node, and end them.

    Args:
        folder: for files.
        seconds: to watch it for.
        training_period_s: from one training to the next.
        parameters: of the node.
    """
    seen = Soak()
    data_dir, extractor = folder / 'data', default_extractor_path()
    teach(data_dir, extractor.read_bytes(), _SAMPLES)
    with contextlib.ExitStack() as stack:
        robot = stack.enter_context(
            Robot(folder, extractor, data_dir, 1, dict(os.environ), parameters)
        )
        robot.wait_until_ready()
        for _ in range(KEPT_MODELS):
            robot.train()
        with _company(folder, training_period_s, seen):
            _watch(robot, seconds, seen)
        code = robot.end()
        if code:
            seen.errors.append(f'the node ended with exit code {code}')
        seen.errors += [f'in the log of the node: {line}' for line in alarms(robot.log)]
    return seen


def _watch(robot: Robot, seconds: float, seen: Soak) -> None:
    seen.begin = seen.end = time.monotonic()
    used = robot.cpu_seconds()
    while seen.end - seen.begin < seconds:
        if robot.has_ended:
            seen.errors.append('the node ended before its time')
            return
        seen.usages.append(Usage(seen.end, robot.resident_mib(), robot.handles(), robot.threads()))
        seen.cpu_seconds = robot.cpu_seconds() - used
        time.sleep(_PERIOD_S)
        seen.end = time.monotonic()


@contextlib.contextmanager
def _company(folder: Path, training_period_s: float, seen: Soak) -> Iterator[None]:
    """Let all others work while the context lasts, and collect what they saw."""
    environment = dict(os.environ)
    with contextlib.ExitStack() as stack:

        def child(program: str, name: str, environment: Mapping[str, str]) -> Child:
            command = [sys.executable, str(_HERE / f'{program}.py')]
            return stack.enter_context(Child(command, environment, folder / f'{name}.log'))

        listener = child('node_listener', 'listener', environment)
        listener.ask(what='start', topic=f'{NAME}/classification', type='classification')
        cameras = []
        for transport, topic in TOPICS.items():
            camera = child('node_camera', transport, with_large_images(environment, _PROFILE))
            shown = {'transport': transport, 'width': 640, 'height': 480, 'rate': _RATE}
            camera.ask(what='start', topic=topic, **shown)
            cameras.append(camera)
        child('soak_peer', 'peer', environment)
        clients = child('soak_clients', 'clients', environment)
        clients.ask(what='start', training_period_s=training_period_s)
        yield
        seen.noted = clients.ask(what='stop')
        seen.errors += seen.noted['errors']
        seen.published = sum(len(camera.ask(what='stop')) for camera in cameras)
        arrivals = listener.ask(what='stop')
        seen.frames = [(stamp / 1e9, (arrived - stamp) / 1e9) for stamp, arrived in arrivals]


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix='edgetpu_retrain_soak_') as folder:
        yield Path(folder)


def _write_usages(path: Path, seen: Soak) -> None:
    lines = [
        f'{each.when - seen.begin:.1f},{each.resident_mib:.2f},{each.handles},{each.threads}'
        for each in seen.usages
    ]
    path.write_text('\n'.join(['seconds,resident_mib,handles,threads', *lines, '']))


def _environment(domain_id: int, folder: Path) -> dict[str, str]:
    environment = private_environment(domain_id, folder)
    # The programs beside this one import each other, which a safe path would keep them from.
    environment['PYTHONPATH'] = os.pathsep.join([str(_HERE), environment['PYTHONPATH']])
    return environment


if __name__ == '__main__':
    sys.exit(main())
