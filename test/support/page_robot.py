# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot with a teaching page: the demo's camera, a retrain node, and the page's server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import contextlib
import itertools
from pathlib import Path
import re
import shutil
import sys
import time

from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.demo.scenes import FRAMES_PER_TEACHING_GLANCE, IMAGE_TOPIC
from edgetpu_retrain.demo.stage import Stage
from edgetpu_retrain.processes.isolation import with_large_images
from edgetpu_retrain.processes.prerequisites import config_folder
import rclpy
from support.running_node import RunningNode
from support.running_program import RunningProgram
from support.waiting import PATIENCE_S, wait_until

CAMERA = 'camera'
FRAMES_PER_SECOND = 5.0


class PageServer(RunningProgram):
    """
    The page's server as a child process.

    Args:
        python_path: PYTHONPATH of the process.
        data_dir: the node's data folder.
        options: further options.
        port: TCP port; 0 = a free one.

    Attributes:
        address: address of the page, such as ``http://127.0.0.1:8642``.
        port: TCP port.
    """

    def __init__(
        self, python_path: str, data_dir: Path, options: Sequence[str] = (), port: int = 0
    ) -> None:
        given = ('--port', str(port), '--data-dir', str(data_dir), *options)
        super().__init__(
            [sys.executable, '-m', 'edgetpu_retrain.page.main', *given],
            {'PYTHONPATH': python_path, 'PYTHONUNBUFFERED': '1'},
        )
        found = re.search(r'http://[\d.]+:(\d+)', self.wait_for_log('http://'))
        assert found is not None
        self.address, self.port = found[0], int(found[1])

    def entrance(self, role: str) -> str:
        """Return the one-time address of a role, which the server prints with ``--lan``."""
        line = self.wait_for_log(f'for one {role}, once: ')
        return line.partition('once: ')[2]

    def logs(self) -> dict[str, str]:
        """Return its output."""
        return {'page': '\n'.join(self.log[-100:])}


class PageRobot(contextlib.ExitStack):
    """
    Processes of a robot on this process's ROS domain, and what directs its camera.

    Args:
        python_path: PYTHONPATH of the processes.
        folder: folder for the data folder, an existing one.
        taught: a data folder to begin with; None = an empty one.
        parameters: parameters of the retrain node.
        options: options of the page's server.
    """

    def __init__(
        self,
        python_path: str,
        folder: Path,
        taught: Path | None = None,
        parameters: Mapping[str, object] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.data_dir = folder / 'data'
        if taught is not None:
            shutil.copytree(taught, self.data_dir)
        self._python_path = python_path
        self._parameters = {
            'data_dir': self.data_dir,
            f'{CAMERA}.image_topic': IMAGE_TOPIC,
            **(parameters or {}),
        }
        self._options = options
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        if not rclpy.ok():
            rclpy.init(args=[])
            self.callback(rclpy.try_shutdown)
        profile = config_folder() / 'fastdds_large_images.xml'
        rate = ('-p', f'frames_per_second:={FRAMES_PER_SECOND}')
        self.camera = self._run(
            ['edgetpu_retrain.demo.camera_node', '--ros-args', *rate],
            with_large_images({}, profile),
        )
        self.start_node()
        self.start_page()
        self.client = self.enter_context(RetrainClient(timeout_s=PATIENCE_S))
        self.stage = Stage(lambda _truth: None, lambda _image: None)
        self.callback(self.stage.close)
        self.stage.wait_until_ready(PATIENCE_S)
        self.client.wait_until_ready(PATIENCE_S)
        wait_until(lambda: self.client.status is not None)

    def _run(
        self, module_and_arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> RunningProgram:
        command = [sys.executable, '-m', *module_and_arguments]
        variables = {'PYTHONPATH': self._python_path, 'PYTHONUNBUFFERED': '1'}
        return self.enter_context(RunningProgram(command, {**variables, **(environment or {})}))

    def start_node(self) -> None:
        """Start the retrain node, which must not run."""
        self.node = self.enter_context(RunningNode(self._python_path, self._parameters))
        self.node.wait_until_ready()

    def start_page(self, port: int = 0) -> None:
        """Start the page's server, which must not run; port 0 = a free one."""
        server = PageServer(self._python_path, self.data_dir, self._options, port)
        self.page = self.enter_context(server)
        self.address = self.page.address

    def show(self, subject: str) -> None:
        """Let the camera show a subject, and wait until it publishes it."""
        self.stage.show_subject(subject)

    def show_in_turn(self, subjects: Sequence[str], condition: Callable[[], bool]) -> None:
        """
        Show subjects in turn, two glances each, until a condition holds.

        A scene always begins with the same views, so each turn shows two glances more.
        """
        deadline = time.monotonic() + 2 * PATIENCE_S
        for glances in itertools.count(2, 2):
            seconds = glances * FRAMES_PER_TEACHING_GLANCE / FRAMES_PER_SECOND
            for subject in subjects:
                self.show(subject)
                if self.stage.spin_until(condition, seconds):
                    return
                assert time.monotonic() < deadline, self.logs()

    def teach(self, subject: str, count: int, label: str | None = None) -> None:
        """Show a subject and store samples of it, as a script would."""
        self.show(subject)
        self.client.add_samples(label or subject, count, camera=CAMERA)

    def logs(self) -> dict[str, str]:
        """Return the output of each process."""
        programs = {'page': self.page, 'node': self.node, 'camera': self.camera}
        return {name: '\n'.join(each.log[-100:]) for name, each in programs.items()}
