# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot with a teaching page: the demo's camera, a retrain node, and the page's server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import contextlib
from pathlib import Path
import re
import shutil
import sys

from edgetpu_retrain.client import RetrainClient
from edgetpu_retrain.demo.scenes import IMAGE_TOPIC
from edgetpu_retrain.demo.stage import Stage
from edgetpu_retrain.processes.isolation import with_large_images
from edgetpu_retrain.processes.prerequisites import config_folder
import rclpy
from support.running_node import RunningNode
from support.running_program import RunningProgram
from support.waiting import PATIENCE_S

CAMERA = 'camera'
FRAMES_PER_SECOND = 5.0


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
        rclpy.init(args=[])
        self.callback(rclpy.try_shutdown)
        profile = config_folder() / 'fastdds_large_images.xml'
        rate = ('-p', f'frames_per_second:={FRAMES_PER_SECOND}')
        self.camera = self._run(
            ['edgetpu_retrain.demo.camera_node', '--ros-args', *rate],
            with_large_images({}, profile),
        )
        self.start_node()
        self.start_page(0)
        self.client = self.enter_context(RetrainClient(timeout_s=PATIENCE_S))
        self.stage = Stage(lambda _truth: None, lambda _image: None)
        self.callback(self.stage.close)
        self.stage.wait_until_ready(PATIENCE_S)
        self.client.wait_until_ready(PATIENCE_S)

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

    def start_page(self, port: int) -> None:
        """Start the page's server, which must not run; port 0 = a free one."""
        options = ('--port', str(port), '--data-dir', str(self.data_dir), *self._options)
        self.page = self._run(['edgetpu_retrain.page.main', *options])
        line = self.page.wait_for_log('http://')
        found = re.search(r'http://[^\s]+', line)
        assert found is not None
        self.entrance = found[0]
        self.address = re.sub(r'(?<=\d)/.*', '', self.entrance)
        self.port = int(self.address.rpartition(':')[2])

    def show(self, subject: str) -> None:
        """Let the camera show a subject, and wait until it publishes it."""
        self.stage.show_subject(subject)

    def teach(self, subject: str, count: int, label: str | None = None) -> None:
        """Show a subject and store samples of it, as a script would."""
        self.show(subject)
        self.client.add_samples(label or subject, count, camera=CAMERA)

    def logs(self) -> dict[str, str]:
        """Return the output of each process."""
        programs = {'page': self.page, 'node': self.node, 'camera': self.camera}
        return {name: '\n'.join(each.log[-100:]) for name, each in programs.items()}
