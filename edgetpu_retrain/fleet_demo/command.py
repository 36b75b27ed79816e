# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The command line of the demonstration: hub, base station, three robots, operator's terminal.

Standard output shows each step, and the status of the fleet as a table, which is live on a
terminal.  The last line is a JSON object with the results.  The exit code is 0 only if no expected
result is missing.
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

from edgetpu_retrain.fleet_demo.programs import Programs
from edgetpu_retrain.processes.child_process import Processes
from edgetpu_retrain.processes.free_port import free_port
from edgetpu_retrain.processes.isolation import private_domain_id, private_environment
from edgetpu_retrain.processes.prerequisites import config_folder, require_modules
from edgetpu_retrain.processes.program_error import ended_early, last_lines, ProgramError

ROBOTS = ('ada', 'ben', 'cleo')
OFFLINE = 'cleo'

TIME_LIMIT_S = 175.0
"""Default time limit of the course, seconds; the start and the end take some seconds more."""

_PATIENCE_SHARE = 0.3

_NEEDED = ('rclpy', 'edgetpu_retrain_interfaces', 'vision_msgs', 'rich', 'nats', 'nkeys')


def run(arguments: Sequence[str] | None = None) -> int:
    """
    Run the demonstration.

    Args:
        arguments: the command-line arguments; None = those of this process.

    Returns:
        The exit code: 0 if no expected result is missing, 1 if one is missing or the demonstration
        cannot complete, 130 after a signal.
    """
    try:
        options = _parse(arguments)
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Raise KeyboardInterrupt, as SIGINT does, so that context managers end all processes.
            signal.signal(number, signal.default_int_handler)
        seen = run_course(options.logs, options.time_limit)
    except ProgramError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nInterrupted; everything the demonstration started has ended.', file=sys.stderr)
        return 130
    for sentence in seen['missing']:
        print(f'Not as it should be: {sentence}.', file=sys.stderr)
    print(json.dumps(seen), flush=True)
    return int(bool(seen['missing']))


def run_course(logs: Path | None = None, time_limit_s: float = TIME_LIMIT_S) -> dict[str, Any]:
    """
    Run the processes of the demonstration until its course ends.

    Args:
        logs: folder for the logs of the processes; None = the logs are removed at the end.
        time_limit_s: how long the course may take, seconds.

    Returns:
        The results (:meth:`edgetpu_retrain.fleet_demo.seen.Seen.as_json`).

    Raises:
        ProgramError: if ROS is missing, a process exits early or the time limit is reached.
    """
    require_modules(_NEEDED, 'make fleet-demo')
    config = config_folder()
    with (
        tempfile.TemporaryDirectory(prefix='edgetpu_retrain_fleet_demo_') as name,
        private_domain_id() as domain_id,
    ):
        folder = Path(name)
        log_folder = folder / 'logs' if logs is None else logs.resolve()
        log_folder.mkdir(parents=True, exist_ok=True)
        result = folder / 'result.json'
        with Processes(log_folder) as processes:
            environment = private_environment(domain_id, folder)
            programs = Programs(processes, environment, config, folder)
            hub_port, link_port = free_port(), free_port()
            programs.start_station(hub_port)
            for seed, robot in enumerate(ROBOTS):
                programs.start_robot(robot, seed)
            for robot in ROBOTS:
                programs.add_member(robot)
                port = link_port if robot == OFFLINE else hub_port
                programs.start_member(robot, f'nats://localhost:{port}')
            patience_s = _PATIENCE_SHARE * time_limit_s
            programs.start_operator(hub_port, link_port, patience_s, result)
            _wait_for_operator(processes, time_limit_s)
        return dict(json.loads(result.read_text()))


def _wait_for_operator(processes: Processes, time_limit_s: float) -> None:
    ended = processes.wait_for_one(time_limit_s)
    if ended is None:
        raise ProgramError(
            f'The demonstration did not end within {time_limit_s:.0f} s and was stopped; this '
            'machine may be very busy (--time-limit 600 waits longer). The last lines of the '
            'logs:\n' + last_lines(processes.children)
        )
    if ended.name == 'operator' and ended.exit_code == 0:
        return
    # If the operator fails, the reason may be in the log of any process.
    raise ended_early(ended, processes.children if ended.name == 'operator' else ())


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='edgetpu_retrain_fleet_demo',
        description='Teach one of three robots, live, and watch the others learn: a NATS server, '
        'a base station, three robots with cameras that play photographs, and an operator.',
    )
    parser.add_argument('--logs', type=Path, help='folder for the logs; default: not kept')
    parser.add_argument(
        '--time-limit', type=float, default=TIME_LIMIT_S, help='seconds (default: %(default)s)'
    )
    return parser.parse_args(arguments)
