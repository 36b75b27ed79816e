# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds and tests of the package by colcon in a workspace."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[1]
NAME = 'edgetpu_retrain'
INTERFACES = f'{NAME}_interfaces'
MARKER = f'share/ament_index/resource_index/packages/{INTERFACES}'


def environment_without_interfaces() -> dict[str, str]:
    """Return this environment without our own interfaces, as before they are built."""
    variables = dict(os.environ)
    variables.pop('COLCON_DEFAULTS_FILE', None)
    variables.pop('COLCON_PREFIX_PATH', None)
    for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH'):
        prefixes = [p for p in variables.get(name, '').split(os.pathsep) if p]
        kept = [p for p in prefixes if not (Path(p) / MARKER).exists()]
        variables[name] = os.pathsep.join(kept)
    return variables


def run(
    *command: str | Path, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    variables = environment_without_interfaces() | environment
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace with this package in src, as after a `git clone`."""
    tracked = ('package.xml', 'setup.py', 'setup.cfg', 'resource', 'config', 'launch', NAME)
    package = tmp_path / 'workspace' / 'src' / NAME
    package.mkdir(parents=True)
    for item in (*tracked, INTERFACES):
        if (ROOT / item).is_dir():
            shutil.copytree(
                ROOT / item, package / item, ignore=shutil.ignore_patterns('__pycache__')
            )
        else:
            shutil.copy(ROOT / item, package)
    return tmp_path / 'workspace'


def test_build_fails_without_the_interfaces(tmp_path: Path) -> None:
    build = (sys.executable, 'setup.py', 'build_py', '--build-lib', tmp_path / 'lib')
    outcome = run(*build, AMENT_PREFIX_PATH=str(tmp_path / 'no_interfaces_here'))
    assert outcome.returncode != 0
    assert f'ln -s {ROOT.name}/{INTERFACES} {ROOT.parent}/' in outcome.stderr
    assert f'colcon build --base-paths {ROOT.parent.name} ' in outcome.stderr
    assert 'Traceback' not in outcome.stderr
    assert not (tmp_path / 'lib').exists()


def test_build_succeeds_with_the_interfaces(tmp_path: Path) -> None:
    (tmp_path / MARKER).parent.mkdir(parents=True)
    (tmp_path / MARKER).touch()
    build = (sys.executable, 'setup.py', 'build_py', '--build-lib', tmp_path / 'lib')
    prefixes = os.pathsep.join(['/nowhere', str(tmp_path)])
    assert run(*build, AMENT_PREFIX_PATH=prefixes).returncode == 0
    assert (tmp_path / 'lib' / NAME / '__init__.py').exists()


def test_build_outside_of_ros_succeeds(tmp_path: Path) -> None:
    build = (sys.executable, 'setup.py', 'build_py', '--build-lib', tmp_path / 'lib')
    assert run(*build, AMENT_PREFIX_PATH='').returncode == 0


def test_build_without_the_interfaces_in_a_workspace_fails(workspace: Path) -> None:
    outcome = run('colcon', 'build', folder=workspace)
    assert outcome.returncode != 0
    assert f'ln -s {NAME}/{INTERFACES} {workspace}/src/' in outcome.stdout + outcome.stderr


@pytest.mark.parametrize('method', ['link', 'base paths'])
def test_both_methods_of_the_error_message_find_both_packages(
    workspace: Path, method: str
) -> None:
    options: tuple[str, ...] = ()
    if method == 'link':
        (workspace / 'src' / INTERFACES).symlink_to(f'{NAME}/{INTERFACES}')
    else:
        options = ('--base-paths', 'src', f'src/{NAME}/{INTERFACES}')
    found = run('colcon', 'list', '--names-only', *options, folder=workspace)
    assert sorted(found.stdout.split()) == [NAME, INTERFACES]


def test_colcon_test_runs_the_tests_of_the_package(workspace: Path) -> None:
    package = workspace / 'src' / NAME
    shutil.copy(ROOT / 'pyproject.toml', package)
    (package / 'test').mkdir()
    (package / 'test' / 'test_it.py').write_text('def test_it() -> None:\n    assert __name__\n')
    # colcon tests only packages that it has built.
    (workspace / 'build' / NAME).mkdir(parents=True)
    outcome = run('colcon', 'test', '--return-code-on-test-failure', folder=workspace)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    (suite,) = ET.parse(workspace / 'build' / NAME / 'pytest.xml').getroot()
    assert suite.get('tests') == '1'


def test_plain_colcon_in_the_checkout_finds_both_packages() -> None:
    found = run('colcon', '--log-base', os.devnull, 'list', '--names-only')
    assert sorted(found.stdout.split()) == [NAME, INTERFACES]
