# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A signal while a program imports its modules, for every program of this package."""

from __future__ import annotations

from pathlib import Path
import signal
import subprocess
import sys

import edgetpu_retrain
from edgetpu_retrain.errors import LibraryMissingError, RosMissingError
from edgetpu_retrain.processes.imports import importing
import pytest

PACKAGE = Path(edgetpu_retrain.__file__).parent
NUMBERS = (signal.SIGINT, signal.SIGTERM)
# Modules that every program imports: the first one after it handles signals, and a slow one.
MODULES = ('edgetpu_retrain.errors', 'numpy')
# Programs: exit codes after SIGINT and SIGTERM, and another module that they import.
PROGRAMS = {
    'command_line': (1, -signal.SIGTERM, 'click'),
    'demo': (130, 130, 'edgetpu_retrain.processes.program_error'),
    'fleet': (0, 0, 'rclpy'),
    'fleet_demo': (130, 130, 'edgetpu_retrain.processes.program_error'),
    'gamepad': (0, 0, 'rclpy'),
    'node': (0, 0, 'rclpy'),
    'page': (0, 0, 'rclpy'),
    'replay': (0, 0, 'rclpy'),
    'station': (0, 0, 'edgetpu_retrain.processes.program_error'),
    'webcam': (0, 0, 'rclpy'),
}
STARTED = {f'{name}.main': row for name, row in PROGRAMS.items()}
STARTED['__main__'] = PROGRAMS['command_line']

# Runs a program, and sends it a signal when the import of a module begins.
RUN = """
import os, runpy, sys

_, program, module, number = sys.argv

def send_signal(event, arguments):
    if event == 'import' and arguments[0] == module:
        os.write(1, module.encode())
        os.kill(os.getpid(), int(number))

sys.argv[1:] = ['--help']
sys.addaudithook(send_signal)
runpy.run_module(program, run_name='__main__', alter_sys=True)
"""


def run(program: str, module: str, number: signal.Signals) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of an interrupted program."""
    command = [sys.executable, '-c', RUN, f'edgetpu_retrain.{program}', module, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_every_program_is_listed() -> None:
    assert {path.parent.name for path in PACKAGE.glob('*/main.py')} == PROGRAMS.keys()


@pytest.mark.parametrize('program', STARTED)
def test_a_signal_during_the_imports_ends_a_program_quietly(program: str) -> None:
    interrupted, terminated, last = STARTED[program]
    for module in (*MODULES, last):
        assert run(program, module, signal.SIGINT) == (interrupted, module, '')
    assert run(program, last, signal.SIGTERM) == (terminated, last, '')


@pytest.mark.parametrize('number', NUMBERS)
def test_after_the_imports_a_signal_is_handled_as_before(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with importing():
        assert signal.getsignal(number) != before
    assert signal.getsignal(number) == before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with importing():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize('error', [LibraryMissingError, RosMissingError])
def test_what_is_missing_is_printed(
    error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, importing():
        raise error('there is no such library: install it')
    assert ended.value.code == 1
    assert capsys.readouterr().err == 'error: there is no such library: install it\n'
