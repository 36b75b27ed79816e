# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator of the demonstration: runs the course, and shows the status of the fleet."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import contextlib
from functools import partial
import json
from pathlib import Path

from edgetpu_retrain.demo.teaching_program import run_with_ros
from edgetpu_retrain.fleet_demo.base_station import BaseStation
from edgetpu_retrain.fleet_demo.course import Course, ROBOTS
from edgetpu_retrain.fleet_demo.link import Link
from edgetpu_retrain.fleet_demo.robot import DemoRobot
from edgetpu_retrain.fleet_demo.view import View
from rich.console import Console


def watch(folder: Path, hub_port: int, link_port: int, patience_s: float, result: Path) -> None:
    """
    Run the course of the demonstration, and write its results.

    Args:
        folder: the folder of the base station.
        hub_port: port of the hub.
        link_port: port of the link through which one robot connects; the course cuts this link.
        patience_s: time limit of each wait, seconds.
        result: file for the results, JSON.

    Raises:
        RetrainClientError: if a request to a node times out or is rejected.
        StageError: if a camera does not respond or rejects a scene.
        ProgramError: if the command that revokes a member fails.
    """
    console = Console(highlight=False)
    with contextlib.ExitStack() as closing:
        link = closing.enter_context(Link(hub_port, link_port))
        robots = {}
        for name in ROBOTS:
            robots[name] = DemoRobot(name)
            closing.callback(robots[name].close)
        station = closing.enter_context(BaseStation(folder, result.parent))
        view = closing.enter_context(View(console, station.table))
        course = Course(robots, link, station, view, patience_s)
        closing.callback(course.close)
        seen = course.run()
    result.write_text(json.dumps(seen.as_json()) + '\n')


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the course; return 0 if it was completed, 1 on an error, and 130 if interrupted."""
    parser = argparse.ArgumentParser(description='run the course of the demonstration of a fleet')
    parser.add_argument('folder', type=Path, help='folder of the base station')
    parser.add_argument('hub_port', type=int, help='port of the hub')
    parser.add_argument('link_port', type=int, help='port of the link that is cut')
    parser.add_argument('patience_s', type=float, help='time limit of each step, seconds')
    parser.add_argument('result', type=Path, help='file for what was seen')
    options = parser.parse_args(arguments)
    return run_with_ros(partial(watch, **vars(options)))


if __name__ == '__main__':
    raise SystemExit(main())
