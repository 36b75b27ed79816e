# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The libraries of the fleet are optional."""

from __future__ import annotations

import subprocess
import sys

import pytest

SENTENCE = 'a fleet needs nats-py and PyNaCl, which this Python does not have: python3 -m pip'


def run_without_libraries(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a Python that cannot import the libraries."""
    code = (
        'import runpy, sys\n'
        "sys.modules.update({'nats': None, 'nacl': None})\n"
        f'sys.argv[1:] = {arguments!r}\n'
        f'runpy.run_module({module!r}, run_name="__main__")\n'
    )
    command = [sys.executable, '-c', code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ('module', 'arguments'),
    [
        ('edgetpu_retrain.fleet.main', ()),
        ('edgetpu_retrain', ('fleet', 'status')),
    ],
)
def test_without_them_a_program_states_what_to_install(
    module: str, arguments: tuple[str, ...]
) -> None:
    done = run_without_libraries(module, *arguments)
    assert SENTENCE in done.stderr
    assert 'Traceback' not in done.stderr
    assert done.returncode != 0


@pytest.mark.parametrize('module', ['evidence.keys', 'hub.client', 'hub.connection'])
def test_without_them_its_modules_cannot_be_imported(module: str) -> None:
    done = run_without_libraries(f'edgetpu_retrain.fleet.{module}')
    assert f'LibraryMissingError: {SENTENCE}' in done.stderr
