# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The group of commands without the libraries of the fleet."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest
from support.command_line_types import Run


def test_help_lists_the_commands(run: Run) -> None:
    listed = run('fleet', '--help').out
    for name in (
        'add',
        'change',
        'erase',
        'promote',
        'release',
        'retire',
        'revoke',
        'samples',
        'serve',
        'status',
    ):
        assert f'  {name} ' in listed


@pytest.mark.parametrize(
    ('barred', 'words'),
    [('nats', 'pip install nats-py'), ('cryptography', 'apt-get install python3-cryptography')],
)
def test_a_missing_library_is_named_and_all_else_works(
    tmp_path: Path, package_path: str, barred: str, words: str
) -> None:
    start = (
        f'import sys; sys.modules[{barred!r}] = None; '
        'from edgetpu_retrain.command_line.main import main; sys.exit(main(sys.argv[1:]))'
    )

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, '-c', start, *arguments],
            env={**os.environ, 'PYTHONPATH': package_path, 'ROS_HOME': str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    for command in (('fleet', 'status'), ('fleet', '--help')):
        done = call(*command)
        (sentence,) = done.stderr.splitlines()
        assert (done.returncode, words in sentence) == (1, True)
    assert 'fleet' in call('--help').stdout
    assert call('samples', 'list', '--data-dir', str(tmp_path)).returncode == 0
