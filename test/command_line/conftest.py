# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures that run the command line, in this process and in a child process."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

from edgetpu_retrain.command_line.main import main
import pytest
from support.bags import write_class_folders
from support.command_line_types import Ended, Run, TEACH_ALL

SUBJECTS = ('cat', 'coffee', 'coins')

# What a machine without ROS does not have.
BARRED = (
    'ament_index_python',
    'cv_bridge',
    'edgetpu_retrain_interfaces',
    'rclpy',
    'sensor_msgs',
    'std_msgs',
)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in this process."""

    def call(*arguments: object) -> Ended:
        capfd.readouterr()
        code = main(list(map(str, arguments)))
        return Ended(code, *capfd.readouterr())

    return call


@pytest.fixture
def run_without_ros(tmp_path: Path, package_path: str) -> Run:
    """Return a function that runs `python -m edgetpu_retrain` where ROS cannot be imported."""
    bars = tmp_path / 'bars'
    bars.mkdir()
    for name in BARRED:
        (bars / f'{name}.py').write_text(f"raise ImportError('{name} is barred')\n")

    def call(*arguments: object) -> Ended:
        done = subprocess.run(
            [sys.executable, '-m', 'edgetpu_retrain', *map(str, arguments)],
            env={**os.environ, 'PYTHONPATH': f'{bars}{os.pathsep}{package_path}'},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope='session')
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of classes: views of packaged photographs to teach."""
    return write_class_folders(tmp_path_factory.mktemp('lessons'), SUBJECTS, 12)


@pytest.fixture(scope='session')
def exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return other views of the same subjects."""
    return write_class_folders(tmp_path_factory.mktemp('exam'), SUBJECTS, 8, seed=1)


@pytest.fixture(scope='session')
def trained_once(tmp_path_factory: pytest.TempPathFactory, lessons: Path) -> Path:
    """Return a data folder with samples and two versions, which must stay as it is."""
    folder = tmp_path_factory.mktemp('data')
    assert main([*TEACH_ALL, str(lessons), '--data-dir', str(folder)]) == 0
    for seed in ('0', '1'):
        assert main(['train', '--seed', seed, '--data-dir', str(folder)]) == 0
    return folder
