# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures and errors of tools/branch_coverage.py."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys

import pytest

pytest.importorskip('coverage', reason='comes with `make test`')

ROOT = Path(__file__).parents[1]
CHOOSE = """
def choose(first):
    if first:
        return 1
    return 2
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with a small package, with both of its rooms."""
    for name in ('.coveragerc', 'tools/branch_coverage.py'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for room in ('', 'store', 'node'):
        folder = tmp_path / 'edgetpu_retrain' / room
        folder.mkdir()
        (folder / '__init__.py').touch()
    (tmp_path / 'edgetpu_retrain/store/choice.py').write_text(CHOOSE)
    (tmp_path / 'edgetpu_retrain/node/choice.py').write_text(CHOOSE)
    return tmp_path


def run(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, 'PYTHONPATH': str(checkout)}
    for name in ('COVERAGE_PROCESS_START', 'COVERAGE_FILE'):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def measured(checkout: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a child of a measured process, and return the report."""
    parent = f'import subprocess, sys; subprocess.run([sys.executable, "-c", {program!r}])'
    done = run(
        checkout,
        '-c',
        parent,
        COVERAGE_PROCESS_START=str(checkout / '.coveragerc'),
        COVERAGE_FILE=str(checkout / 'measured/processes/data'),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    return run(checkout, 'tools/branch_coverage.py', 'measured')


STORE = 'from edgetpu_retrain.store.choice import choose'
NODE = 'from edgetpu_retrain.node import choice'


def test_all_branches_are_enough(checkout: Path) -> None:
    calls = 'choose(True), choose(False), choice.choose(True), choice.choose(False)'
    done = measured(checkout, f'{STORE}; {NODE}; {calls}')
    assert done.returncode == 0, done.stderr
    assert 'store: 100.0 % (2 of 2 branches)' in done.stdout
    assert '  overall: 100.0 % (4 of 4 branches)' in done.stdout


def test_missing_branches_are_listed_and_too_many_are_an_error(checkout: Path) -> None:
    done = measured(checkout, f'{STORE}; {NODE}; choose(True), choose(False), choice.choose(True)')
    assert done.returncode == 1
    assert done.stderr == (
        'error: the whole package: the tests take 75.0 % of the branches, and at least 85 % is'
        ' asked for\n'
    )
    missing = (checkout / 'measured/missing.txt').read_text()
    assert 'edgetpu_retrain/node/choice.py' in missing
    assert 'edgetpu_retrain/store/choice.py' not in missing


def test_learning_and_store_need_more_coverage(checkout: Path) -> None:
    done = measured(checkout, f'{STORE}; choose(True)')
    assert done.returncode == 1
    assert 'error: learning + model_file + store: the tests take 50.0 %' in done.stderr


def test_files_that_no_test_imports_count(checkout: Path) -> None:
    done = measured(checkout, f'{STORE}; choose(True), choose(False)')
    assert 'node: 0.0 % (0 of 2 branches)' in done.stdout
    assert done.returncode == 1


ASKS = """
import os
import pytest

pytestmark = pytest.mark.usefixtures('measured_processes')

def test_its_processes_are_measured():
    assert 'COVERAGE_PROCESS_START' in os.environ
"""
DOES_NOT_ASK = """
import os

def test_its_processes_are_not_measured():
    assert 'COVERAGE_PROCESS_START' not in os.environ
"""


def tested(checkout: Path, *modules: str) -> subprocess.CompletedProcess[str]:
    """Run modules of tests, as `make test` does."""
    for name in ('conftest.py', 'support'):
        (checkout / name).symlink_to(ROOT / 'test' / name)
    for number, text in enumerate(modules):
        (checkout / f'test_{number}.py').write_text(text)
    return run(
        checkout,
        '-m',
        'pytest',
        COVERAGE_PROCESS_START=str(checkout / '.coveragerc'),
        COVERAGE_FILE=str(checkout / 'measured/processes/data'),
    )


def test_only_processes_of_modules_that_ask_are_measured(checkout: Path) -> None:
    done = tested(checkout, DOES_NOT_ASK, ASKS, DOES_NOT_ASK)
    assert '3 passed' in done.stdout, done.stdout


IS_KILLED_AT_ITS_END = f"""
import atexit
import os
import signal

{STORE}

def test_both():
    choose(True), choose(False)
    # Called before what coverage.py has registered.
    atexit.register(os.kill, os.getpid(), signal.SIGKILL)
"""


def test_what_a_worker_measured_is_saved_if_it_is_killed_at_its_end(checkout: Path) -> None:
    killed = tested(checkout, IS_KILLED_AT_ITS_END)
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    done = run(checkout, 'tools/branch_coverage.py', 'measured')
    assert 'store: 100.0 % (2 of 2 branches)' in done.stdout, done.stderr
