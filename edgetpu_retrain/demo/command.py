# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The command line of the demo: starts and stops camera, retrain node and teacher together.

Standard output shows the teacher's progress.  The last line is a JSON object with the figures, for
other programs.  The exit code is 0 only if the retrain node passes the exam.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import signal
import sys
import tempfile
from typing import Any

from edgetpu_retrain.demo.scenes import IMAGE_TOPIC, RESULT_FILE
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.processes.child_process import Processes
from edgetpu_retrain.processes.isolation import (
    private_domain_id,
    private_environment,
    with_large_images,
)
from edgetpu_retrain.processes.prerequisites import (
    config_folder,
    LARGE_IMAGES_PROFILE,
    require_modules,
)
from edgetpu_retrain.processes.program_error import ended_early, last_lines, ProgramError
from edgetpu_retrain.runtime.interpreters.device import read_device

PASS_MARK = 0.95
"""Share of the frames that must be classified correctly to pass the exam."""

# At 10 frames per second, the whole demo ends within two minutes.
_SECONDS_BESIDE_FRAMES = 70.0
# Those of the exam, and about as many for teaching, of which near copies are not stored.
_FRAMES = 450
_USUAL_RATE = 10.0


def run(arguments: Sequence[str] | None = None) -> int:
    """
    Run the demo.

    Args:
        arguments: the command-line arguments; None = those of this process.

    Returns:
        The exit code: 0 if the node passes the exam, 1 if it fails the exam or the demo cannot
        complete, 2 for an invalid argument, 130 after a signal.
    """
    try:
        options = _parse(arguments)
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Raise KeyboardInterrupt, as for SIGINT, so that context managers stop the children.
            signal.signal(number, signal.default_int_handler)
        result = teach_and_examine(options)
    except ProgramError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nInterrupted; everything the demo started has ended.', file=sys.stderr)
        return 130
    passed = bool(result['live_accuracy'] >= PASS_MARK)
    if not passed:
        print(
            f'The robot failed its exam: {result["live_accuracy"]:.1%} right, {PASS_MARK:.0%} '
            'needed. The contact sheet shows the mistakes; many unclassified frames mean that '
            'this machine was too busy (--rate 5 is slower).',
            file=sys.stderr,
        )
    print(json.dumps(result), flush=True)
    return int(not passed)


def teach_and_examine(options: argparse.Namespace) -> dict[str, Any]:
    """
    Run the demo's processes until the teacher has ended.

    Args:
        options: the parsed command line.

    Returns:
        The figures that the teacher has written, by name.

    Raises:
        ProgramError: if ROS is missing, a process exits early or the time limit is reached.
    """
    require_modules(('rclpy', 'edgetpu_retrain_interfaces', 'vision_msgs', 'rich'), 'make demo')
    config = config_folder()
    output: Path = options.output.resolve()
    logs = output / 'logs'
    logs.mkdir(parents=True, exist_ok=True)
    result_file = output / RESULT_FILE
    result_file.unlink(missing_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix='edgetpu_retrain_demo_') as folder,
        private_domain_id() as domain_id,
        Processes(logs) as processes,
    ):
        print(
            f'Camera, retrain node and teacher start as separate processes on ROS domain '
            f'{domain_id}.\nTheir logs are in {logs}.',
            flush=True,
        )
        environment = private_environment(domain_id, Path(folder))
        python = (sys.executable, '-m')
        camera = (*python, 'edgetpu_retrain.demo.camera_node', '--ros-args')
        camera_parameters = _parameters(frames_per_second=options.rate, seed=options.seed)
        large_images = with_large_images(environment, config / LARGE_IMAGES_PROFILE)
        processes.start('camera', (*camera, *camera_parameters), large_images)
        # Parameters come from the file, as on a robot; only those below differ.
        file = ('--params-file', str(config / 'retrain.yaml'))
        node = (*python, 'edgetpu_retrain.node.main', '--ros-args', *file)
        node_parameters = _parameters(
            data_dir=f'{folder}/data',
            device=options.device,
            extractor=options.extractor,
            **{'camera.image_topic': IMAGE_TOPIC},
        )
        processes.start('retrain_node', (*node, *node_parameters), environment)
        teacher = (*python, 'edgetpu_retrain.demo.teacher', str(output), str(options.rate))
        processes.start('teacher', teacher, environment, show_output=True)
        _wait_for_teacher(processes, time_limit_s(options.rate))
    return dict(json.loads(result_file.read_text()))


def time_limit_s(frames_per_second: float) -> float:
    """Return the time limit of the processes at a frame rate, seconds."""
    # A busy machine may not reach a higher rate.
    return _SECONDS_BESIDE_FRAMES + _FRAMES / min(frames_per_second, _USUAL_RATE)


def _wait_for_teacher(processes: Processes, limit_s: float) -> None:
    ended = processes.wait_for_one(limit_s)
    if ended is None:
        raise ProgramError(
            f'The demo did not end within {limit_s:.0f} s and was stopped; this machine may '
            f'be very busy. The last lines of the logs:\n' + last_lines(processes.children)
        )
    if ended.name == 'teacher' and ended.exit_code == 0:
        return
    # If the teacher fails, the reason may be in the log of any process.
    suspects = processes.children if ended.name == 'teacher' else ()
    raise ended_early(ended, suspects)


def _parameters(**values: object) -> list[str]:
    given = (f'{name}:={value}' for name, value in values.items() if value is not None)
    return [part for parameter in given for part in ('-p', parameter)]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='edgetpu_retrain_demo',
        description='Teach a robot new classes, live: a camera node that plays photographs, the '
        'retrain node, and a teacher that teaches, trains and examines it.',
    )
    add = parser.add_argument
    add(
        '--output',
        type=Path,
        default=Path('demo_output'),
        help='for results (default: %(default)s)',
    )
    add(
        '--rate',
        type=_frame_rate,
        default=_USUAL_RATE,
        help='frames per second (default: %(default)s)',
    )
    add('--seed', type=_seed, default=0, help="of the camera's motion (default: %(default)s)")
    add('--device', type=_device, help="the node's parameter device, e.g. usb")
    add('--extractor', help="the node's parameter extractor, a .tflite file")
    return parser.parse_args(arguments)


def _device(text: str) -> str:
    try:
        return read_device(text)
    except RequestError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _frame_rate(text: str) -> float:
    value = float(text)
    if not 1.0 <= value <= 60.0:
        raise argparse.ArgumentTypeError(f'{text} is not from 1 to 60')
    return value


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'{text} is negative: give 0 or more')
    return value
