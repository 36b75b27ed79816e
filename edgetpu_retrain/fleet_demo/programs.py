# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Programs: starts base station, robots (camera, node and fleet process) and operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
import time

from edgetpu_retrain.demo.scenes import IMAGE_TOPIC
from edgetpu_retrain.fleet.station.folder import StationFolder
from edgetpu_retrain.processes.child_process import Processes
from edgetpu_retrain.processes.isolation import with_large_images
from edgetpu_retrain.processes.prerequisites import LARGE_IMAGES_PROFILE
from edgetpu_retrain.processes.program_error import ended_early, ProgramError

FRAMES_PER_SECOND = 8.0
"""Rate of each camera; low, because three robots share the processor."""

_PYTHON = (sys.executable, '-m')
_FLEET = (*_PYTHON, 'edgetpu_retrain', 'fleet')
_COMMAND_TIMEOUT_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True)
class Programs:
    """
    Starts the programs of the demonstration.

    Args:
        processes: starts the programs as child processes.
        environment: their environment variables.
        config: the folder with retrain.yaml.
        folder: folder for the data of the robots and of the base station.
    """

    processes: Processes
    environment: Mapping[str, str]
    config: Path
    folder: Path

    def start_robot(self, name: str, seed: int) -> None:
        """
        Start the camera and the node of a robot.

        Args:
            name: name of the robot, also its namespace.
            seed: seed of the camera's motion.
        """
        namespace = ('--ros-args', '-r', f'__ns:=/{name}')
        camera = (*_PYTHON, 'edgetpu_retrain.demo.camera_node', *namespace)
        motion = _parameters(frames_per_second=FRAMES_PER_SECOND, seed=seed)
        profile = self.config / LARGE_IMAGES_PROFILE
        self.processes.start(
            f'{name}_camera', (*camera, *motion), with_large_images(self.environment, profile)
        )
        # Parameters come from the file, as on a robot, except those below.
        file = ('--params-file', str(self.config / 'retrain.yaml'))
        node = (*_PYTHON, 'edgetpu_retrain.node.main', *namespace, *file)
        parameters = _parameters(
            **{'camera.image_topic': IMAGE_TOPIC},
            data_dir=self.folder / name,
            device='cpu',
            follow_models='true',
        )
        self.processes.start(f'{name}_node', (*node, *parameters), self.environment)

    def start_station(self, port: int) -> None:
        """
        Start the base station, and wait until it has created its folder.

        Args:
            port: port of its hub.

        Raises:
            ProgramError: if the base station exits without creating the folder.
        """
        command = (*_FLEET, 'serve', '--folder', str(self._station))
        where = ('--hub-name', 'localhost', '--host', '127.0.0.1', '--port', str(port))
        child = self.processes.start('station', (*command, *where), self.environment)
        while not StationFolder(self._station).exists():
            if child.exit_code is not None:
                raise ended_early(child)
            time.sleep(_POLL_S)

    def add_member(self, name: str) -> None:
        """
        Add a robot to the fleet, with the role 'teach', and write its credentials.

        Args:
            name: name of the robot.

        Raises:
            ProgramError: if the command fails.
        """
        credentials = str(self._credentials(name))
        arguments = ('add', name, '--role', 'teach', '--out', credentials)
        run_fleet_command(arguments, self._station, self.folder, self.environment)

    def start_operator(
        self, hub_port: int, link_port: int, patience_s: float, result: Path
    ) -> None:
        """
        Start the operator's terminal, which runs the course.

        Args:
            hub_port: port of the hub.
            link_port: port of the link through which one robot connects; the course cuts this
                link.
            patience_s: time limit of each wait, seconds.
            result: file for the results.
        """
        command = (*_PYTHON, 'edgetpu_retrain.fleet_demo.operator_terminal')
        numbers = (str(hub_port), str(link_port), str(patience_s))
        where = (str(self._station), *numbers, str(result))
        self.processes.start('operator', (*command, *where), self.environment, show_output=True)

    def start_member(self, name: str, url: str) -> None:
        """
        Start the fleet process of a robot.

        Args:
            name: name of the robot.
            url: URL of the hub.
        """
        command = (*_PYTHON, 'edgetpu_retrain.fleet.main', '--ros-args', '-r', f'__ns:=/{name}')
        parameters = _parameters(fleet=url, credentials=self._credentials(name))
        self.processes.start(f'{name}_fleet', (*command, *parameters), self.environment)

    @property
    def _station(self) -> Path:
        return self.folder / 'station'

    def _credentials(self, name: str) -> Path:
        return self.folder / f'{name}.json'


def run_fleet_command(
    arguments: Sequence[str],
    station: Path,
    log_folder: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """
    Run a command of ``edgetpu_retrain fleet`` at the base station, and wait until it ends.

    Args:
        arguments: the command and its arguments.
        station: the folder of the base station.
        log_folder: folder for the output of the command.
        environment: environment variables of the command; None = those of this process.

    Raises:
        ProgramError: if the command fails or times out; the message has its last output.
    """
    with Processes(log_folder) as processes:
        command = (*_FLEET, *arguments, '--folder', str(station))
        child = processes.start(f'fleet_{arguments[0]}', command, environment)
        if processes.wait_for_one(_COMMAND_TIMEOUT_S) is None or child.exit_code:
            raise ProgramError(f'fleet {" ".join(arguments)} failed: {child.last_log_lines()}')


def _parameters(**values: object) -> list[str]:
    return [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
