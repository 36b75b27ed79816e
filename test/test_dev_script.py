# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The checks of tools/dev.sh for missing programs, and their error messages."""

from __future__ import annotations

from collections.abc import Iterable
import os
from pathlib import Path
import shutil
import stat
import subprocess
import sys

import pytest

DEV = Path(__file__).parents[1] / 'tools' / 'dev.sh'

# Programs that the script uses; every Debian has them.
ALWAYS_THERE = ('bash', 'cat', 'dirname', 'env', 'sed', 'tail', 'tr', 'uname')
VERSION = f'{sys.version_info.major}.{sys.version_info.minor}'


class Machine:
    """A machine with only the programs that a test adds: PATH is a single folder."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / 'bin'
        self.programs.mkdir()
        for name in ALWAYS_THERE:
            where = shutil.which(name)
            assert where is not None
            (self.programs / name).symlink_to(where)
        self.add('c++', 'cc', 'cmake', 'make')
        self.add_python()
        self.variables = {'HOME': str(folder), 'PATH': str(self.programs)}

    def add(self, *names: str, script: str = 'exit 0') -> None:
        for name in names:
            program = self.programs / name
            program.write_text(f'#!/bin/sh\n{script}\n')
            program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def add_python(self, *, at_start: Iterable[str] = (), name: str = 'python3') -> None:
        """Add a Python that runs some lines before all else."""
        modules = self.programs.parent / 'modules'
        modules.mkdir(exist_ok=True)
        (modules / 'sitecustomize.py').write_text('\n'.join(at_start))
        self.add(name, script=f'PYTHONPATH={modules} exec {sys.executable} "$@"')

    def remove(self, *names: str) -> None:
        for name in names:
            (self.programs / name).unlink()

    def check(self, *options: str) -> subprocess.CompletedProcess[str]:
        bash = self.programs / 'bash'
        return subprocess.run(
            [bash, DEV, *options, 'check'],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


WITHOUT_VENV = ('import sys', "sys.modules['ensurepip'] = None")
WITHOUT_HEADERS = ('import sysconfig', "sysconfig.get_path = lambda *_, **__: '/nowhere'")


def test_check_succeeds_with_all_programs(machine: Machine) -> None:
    outcome = machine.check()
    assert (outcome.returncode, outcome.stdout) == (0, '')
    assert 'nothing is missing' in outcome.stderr


@pytest.mark.parametrize(
    ('removed', 'package'),
    [
        (['c++'], 'g++'),
        (['c++', 'cc'], 'g++'),
        (['cc'], 'gcc'),
        (['cmake'], 'cmake'),
        (['make'], 'make'),
        (['python3'], 'python3 python3-venv python3-dev'),
        (['c++', 'cmake'], 'g++ cmake'),
    ],
)
def test_names_the_package_of_a_missing_program(
    machine: Machine, removed: list[str], package: str
) -> None:
    machine.remove(*removed)
    outcome = machine.check()
    assert outcome.returncode == 1
    assert outcome.stderr.splitlines()[-1] == f'  sudo apt-get install {package}'


@pytest.mark.parametrize(
    ('at_start', 'package'),
    [
        (WITHOUT_VENV, f'python{VERSION}-venv'),
        (WITHOUT_HEADERS, f'python{VERSION}-dev'),
        (WITHOUT_VENV + WITHOUT_HEADERS, f'python{VERSION}-venv python{VERSION}-dev'),
    ],
)
def test_names_the_package_of_a_missing_part_of_python(
    machine: Machine, at_start: tuple[str, ...], package: str
) -> None:
    machine.add_python(at_start=at_start)
    outcome = machine.check()
    assert outcome.returncode == 1
    assert outcome.stderr.splitlines()[-1] == f'  sudo apt-get install {package}'


def test_another_compiler_is_accepted(machine: Machine) -> None:
    machine.remove('c++', 'cc')
    machine.add('clang', 'clang++')
    assert machine.check().returncode == 0


def test_a_python_without_wheels_is_rejected(machine: Machine) -> None:
    machine.add_python(at_start=('import sys', 'sys.version_info = (3, 99, 0)'))
    outcome = machine.check()
    assert outcome.returncode == 1
    assert "python3 is Python 3.99; ROS 2's wheels on PyPI are for 3.10 to 3.14." in outcome.stderr


def test_python_can_be_chosen(machine: Machine) -> None:
    machine.variables['PYTHON'] = 'python9'
    outcome = machine.check()
    assert outcome.returncode == 1
    assert 'PYTHON is python9, and there is no such program' in outcome.stderr
    machine.remove('python3')
    machine.add_python(name='python9')
    assert machine.check().returncode == 0


def test_points_another_architecture_to_the_debian_packages(machine: Machine) -> None:
    machine.remove('uname')
    machine.add('uname', script='echo Linux aarch64')
    outcome = machine.check()
    assert outcome.returncode == 1
    assert 'for Linux on x86_64 only; this is Linux aarch64' in outcome.stderr
    assert 'docs.ros.org/en/jazzy/Installation' in outcome.stderr
    assert '. /opt/ros/jazzy/setup.bash' in outcome.stderr


def source_a_ros(machine: Machine) -> None:
    machine.variables['ROS_DISTRO'] = 'rolling'
    machine.add('colcon')
    (machine.programs.parent / 'modules' / 'rclpy.py').touch()


def test_a_sourced_ros_needs_no_wheels(machine: Machine) -> None:
    machine.remove('uname')
    machine.add('uname', script='echo Linux aarch64')
    source_a_ros(machine)
    assert machine.check().returncode == 0
    # All other programs are still necessary.
    machine.remove('cmake')
    outcome = machine.check()
    assert outcome.stderr.splitlines()[-1] == '  sudo apt-get install cmake'


def test_the_reason_for_ignoring_a_sourced_ros_is_printed(machine: Machine) -> None:
    source_a_ros(machine)
    machine.remove('colcon')
    outcome = machine.check()
    assert outcome.returncode == 0
    assert 'sudo apt-get install python3-colcon-common-extensions' in outcome.stderr
    source_a_ros(machine)
    (machine.programs.parent / 'modules' / 'rclpy.py').write_text('raise ImportError')
    assert 'python3 cannot import rclpy: not using it' in machine.check().stderr


def test_a_distribution_without_wheels_is_rejected(machine: Machine) -> None:
    outcome = machine.check('--ros', 'foxy')
    assert outcome.returncode == 1
    assert 'choose jazzy or kilted' in outcome.stderr


def test_the_versions_of_an_ubuntu_use_its_python(machine: Machine) -> None:
    machine.add('python3.12', script='echo 3.13 of this test')
    outcome = machine.check('--versions', 'noble')
    assert outcome.returncode == 1
    words = 'python3.12 is Python 3.13; the versions of noble are for Python 3.12'
    assert words in outcome.stderr


def test_the_python_behind_a_shim_of_pyenv_is_found(machine: Machine, tmp_path: Path) -> None:
    pyenv = tmp_path / 'pyenv'
    for name, script in (
        ('shims/python3.10', 'exit 127'),
        ('versions/3.10.9/bin/python3', 'echo 3.9'),
    ):
        program = pyenv / name
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\n{script}\n')
        program.chmod(0o755)
    machine.variables['PATH'] += f':{pyenv}/shims'
    outcome = machine.check('--versions', 'jammy')
    assert outcome.returncode == 1
    assert f'{pyenv}/versions/3.10.9/bin/python3 is Python 3.9' in outcome.stderr


def test_an_ubuntu_without_its_python_is_rejected_with_the_remedy(machine: Machine) -> None:
    outcome = machine.check('--versions', 'jammy')
    assert outcome.returncode == 1
    assert 'no python3.10 that runs is in PATH' in outcome.stderr
    assert 'PYTHON=/path/to/python3.10' in outcome.stderr


def test_unknown_versions_are_rejected(machine: Machine) -> None:
    assert 'choose jammy or noble' in machine.check('--versions', 'focal').stderr
    both = machine.check('--ros', 'kilted', '--versions', 'jammy')
    assert both.returncode == 1
    assert 'tested with ROS 2 jazzy only, not kilted' in both.stderr


def test_run_needs_a_topic(machine: Machine) -> None:
    bash = machine.programs / 'bash'
    outcome = subprocess.run(
        [bash, DEV, 'run', ''], env=machine.variables, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 1
    assert 'make run IMAGE_TOPIC=/camera/image_raw' in outcome.stderr


def test_is_executable() -> None:
    assert os.access(DEV, os.X_OK)
